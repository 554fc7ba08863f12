"""Options of the data, and the facts about every data set that need no loading."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import field_validator, model_validator

from pcviz.experiment.section import Section, option


@dataclass(frozen=True)
class DatasetFacts:
    """The facts about a data set that need no loading. Sizes count examples, dimensions count features.

    `even`: x and -x are of one class; `radial`: the class changes along rays from the origin.
    """

    label: str
    description: str
    input_dim: int
    output_dim: int
    task: Literal["classification", "regression"]
    train_size: int
    test_size: int
    train_max: int
    test_max: int
    even: bool = False
    radial: bool = False

    @property
    def planar(self) -> bool:
        """Whether the examples are points of the plane that have classes."""
        return self.input_dim == 2 and self.task == "classification"

    @property
    def has_boundary(self) -> bool:
        """Whether a network's decision is one boundary in the plane, between two classes."""
        return self.planar and self.output_dim == 2


def _toy(label: str, description: str, *, even: bool = False, radial: bool = False) -> DatasetFacts:
    return DatasetFacts(label, description, 2, 2, "classification", 1024, 512, 8192, 4096, even, radial)


DATASETS: dict[str, DatasetFacts] = {
    "digits": DatasetFacts(
        "Handwritten digits", "8 × 8 images of the digits 0 to 9", 64, 10, "classification", 1437, 360, 1437, 360
    ),
    "moons": _toy("Two moons", "two interleaved half circles"),
    "circles": _toy("Circles", "a ring inside a ring", even=True, radial=True),
    "xor": _toy("XOR", "four clouds, opposite corners share a class", even=True),
    "spiral": _toy("Spiral", "two intertwined spirals", radial=True),
    "gaussians": _toy("Gaussians", "two overlapping Gaussian clouds"),
    "regression": DatasetFacts(
        "Random regression", "20 Gaussian inputs with targets ±1, to be memorised", 40, 1, "regression", 20, 20, 20, 20
    ),
}


_OWN = re.compile(r"own-([0-9a-f]{12})-(classification|regression)" + 4 * r"-([1-9]\d{0,8})", re.ASCII)


def own_name(content: str, task: str, input_dim: int, output_dim: int, train_size: int, test_size: int) -> str:
    """The name of a user data set, which holds all facts about it: `own-` with the first 12 digits of the digest of its
    content, its task, dimensions and sizes."""
    return f"own-{content[:12]}-{task}-{input_dim}-{output_dim}-{train_size}-{test_size}"


def is_own(name: str) -> bool:
    """Whether this is the name of a user data set, whether any process holds it or not."""
    return _OWN.fullmatch(name) is not None


def facts_of(name: str) -> DatasetFacts:
    """The facts about a data set, from its name. Raises KeyError for an unknown name."""
    found = _OWN.fullmatch(name)
    if found is None:
        return DATASETS[name]
    inputs, outputs, train, test = (int(text) for text in found.groups()[2:])
    task: Literal["classification", "regression"] = "regression" if found[2] == "regression" else "classification"
    words = f"{train} and {test} examples, {inputs} inputs, {outputs} outputs"
    return DatasetFacts(f"Own data {found[1]}", words, inputs, outputs, task, train, test, train, test)


class Data(Section):
    """What the network learns from."""

    name: str = option("digits", "Data set", "Built-in data sets, or your own; nothing is downloaded.", simple=True)
    train_size: int | Literal["all"] = option(
        "all", "Training examples", "How many examples to train on; `all` is the data set's own size.", advanced=True
    )
    test_size: int | Literal["all"] = option(
        "all", "Test examples", "How many unseen examples to test on; `all` is the data set's own size.", advanced=True
    )

    @property
    def facts(self) -> DatasetFacts:
        """Dimensions, task and sizes of the chosen data set."""
        return facts_of(self.name)

    @property
    def train_count(self) -> int:
        """Number of training examples."""
        return self.facts.train_size if self.train_size == "all" else self.train_size

    @property
    def test_count(self) -> int:
        """Number of test examples."""
        return self.facts.test_size if self.test_size == "all" else self.test_size

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in DATASETS and not is_own(name):
            raise ValueError("unknown data set")
        return name

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        for field, most in (("train_size", self.facts.train_max), ("test_size", self.facts.test_max)):
            size = getattr(self, field)
            if size != "all" and not 1 <= size <= most:
                bound = "is below 1" if size < 1 else f"is above {most}"
                raise ValueError(f"data.{field}: {size} {bound} (allowed for {self.name}: 1 to {most}, or all)")
        return self
