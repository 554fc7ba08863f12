"""The experiment: every option of pcviz, once.

Form, URL, command line and stored runs are all derived from these models: type, limits, default, label (`title`),
help (`description`) and formula stand beside each field, and the rules between options are validators here.
Symbols follow the literature: L depth, N width, B batch size, T inference steps, H = L - 1 hidden layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from pcviz.schema import flatten, unflatten, upgraded_document
from pcviz.spelling import is_odd_number

Activation = Literal["linear", "tanh", "hard_tanh", "relu", "leaky_relu", "gelu", "selu", "silu"]
Parameterisation = Literal["sp", "ntp", "mupc"]
Solver = Literal["gradient_descent", "momentum", "adam", "error_based"]
Rule = Literal["pc", "ipc", "bp"]

FORM_STEPS_MAX = 4096
"""Most inference steps that form and URL accept; Python and the command line accept any number."""


@dataclass(frozen=True)
class DatasetFacts:
    """What can be known of a data set without loading it. Sizes count examples, dimensions count features.

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


def option(
    default: Any,
    title: str,
    description: str,
    *,
    formula: str | None = None,
    advanced: bool = False,
    log: bool = False,
    **limits: Any,
) -> Any:
    """A field of the experiment: default, label, help, formula (TeX), limits; `log` asks for a logarithmic control."""
    extra: dict[str, Any] = {"formula": formula, "advanced": advanced, "log": log}
    return Field(default, title=title, description=description, json_schema_extra=extra, **limits)


class Section(BaseModel):
    """A group of options: immutable, without unknown fields, without NaN or infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, use_attribute_docstrings=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_spelt_plainly(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            raise ValueError("true and false are not numbers")
        if isinstance(value, str) and is_odd_number(value):
            raise ValueError("numbers are spelt with digits, a point and an exponent only")
        return value


class Network(Section):
    """The predictive coding network: architecture, parameterisation, output energy."""

    architecture: Literal["mlp"] = option(
        "mlp", "Architecture", "Fully connected layers without biases.", advanced=True
    )
    depth: int = option(
        16,
        "Depth L",
        "Number of weight matrices. A network of depth L has H = L - 1 hidden layers.",
        formula=r"\mu_1 = a_1 W_1 x,\quad \mu_l = a_l W_l \phi(z_{l-1}) + \tau_l z_{l-1},\quad l = 2 \dots L",
        ge=2,
        le=512,
    )
    width: int = option(64, "Width N", "Units in each hidden layer.", formula=r"z_l \in \mathbb{R}^N", ge=1, le=2048)
    activation: Activation = option(
        "relu", "Activation", "Applied to the activities before each linear map but the first.", formula=r"\phi"
    )
    parameterisation: Parameterisation = option(
        "mupc",
        "Parameterisation",
        "How predictions are scaled with width and depth: standard (sp), neural tangent (ntp), or Depth-μP for "
        "predictive coding (mupc), which with skip connections trains networks of 128 layers and more.",
        formula=r"\text{μPC: } a_1 = D^{-1/2},\; a_l = (NL)^{-1/2} \text{ (no skips: } N^{-1/2}\text{)},\;"
        r" a_L = 1/(\gamma N)",
    )
    skips: bool = option(
        True, "Skip connections", "Identity skips around the hidden layers 2 to L - 1.", formula=r"\tau_l \in \{0, 1\}"
    )
    initialisation: Literal["uniform", "lecun_normal", "orthogonal", "normal"] = option(
        "uniform",
        "Initialisation",
        "Weights at the start. sp: uniform (±1/√fan-in, as jpc), lecun_normal (variance 1/fan-in) or orthogonal; "
        "ntp and mupc always start from the standard normal distribution.",
        formula=r"\text{uniform: } W_l \sim U(\pm N_{l-1}^{-1/2})",
        advanced=True,
    )
    loss: Literal["mse", "ce"] = option(
        "mse",
        "Output energy",
        "Half the squared output error (mse) or the cross-entropy of the softmax (ce, for classes).",
        formula=r"E_L = \tfrac{\lambda}{2}\lVert y - \mu_L\rVert^2 \text{ or } -\lambda \textstyle\sum_k y_k \log"
        r" \mathrm{softmax}(\mu_L)_k",
    )
    gamma: float = option(
        1.0,
        "Output scale γ",
        "Divides the output: below 1 the network stays lazy, above 1 its features move more.",
        formula=r"a_L \leftarrow a_L / \gamma",
        advanced=True,
        log=True,
        ge=1e-3,
        le=1e3,
    )
    output_precision: float = option(
        1.0,
        "Output precision λ",
        "Weight of the output energy against the hidden energies.",
        formula=r"E_L = \lambda\, \ell(y, \mu_L), \quad E_l = \tfrac12\lVert e_l\rVert^2 \text{ for } l < L",
        advanced=True,
        log=True,
        ge=1e-3,
        le=1e3,
    )

    @property
    def has_closed_form(self) -> bool:
        """Whether the least energy is known in closed form."""
        return has_closed_form([self.activation], self.loss)

    @model_validator(mode="before")
    @classmethod
    def _initialisation_follows_parameterisation(cls, data: Any) -> Any:
        if isinstance(data, dict) and "initialisation" not in data:
            return {**data, "initialisation": default_initialisation(data.get("parameterisation", "mupc"))}
        return data

    @model_validator(mode="after")
    def _initialisation_fits(self) -> Self:
        allowed = ("uniform", "lecun_normal", "orthogonal") if self.parameterisation == "sp" else ("normal",)
        if self.initialisation not in allowed:
            raise ValueError(
                f"network.initialisation: {self.initialisation} does not go with network.parameterisation "
                f"{self.parameterisation} (allowed: {', '.join(allowed)})"
            )
        return self


def has_closed_form(activations: Iterable[str], loss: str) -> bool:
    """Whether the least energy of a network with these activations is known in closed form: the energy is quadratic in
    the activities, for linear networks with the squared output error (theory.md 3.7)."""
    return set(activations) == {"linear"} and loss == "mse"


def default_initialisation(parameterisation: str) -> str:
    """The initial weight distribution that belongs to a parameterisation (theory.md 2.1)."""
    return "uniform" if parameterisation == "sp" else "normal"


class Inference(Section):
    """The relaxation of the activities on the energy, with input and target clamped."""

    solver: Solver = option(
        "gradient_descent",
        "Solver",
        "How activities descend the energy: gradient descent, with momentum, Adam, or error-based (ePC: the errors are "
        "the variables, so the signal crosses the whole network in one step).",
        formula=r"\text{gradient descent: } z \leftarrow z - \eta\, \partial F / \partial z",
    )
    steps: int | Literal["depth"] = option(
        "depth",
        "Inference steps T",
        "Steps of one relaxation. `depth` stands for H = L - 1, the number of steps before which no error can "
        "reach the first layer from a feedforward start (more than rounding may take far more); error-based inference "
        "needs one.",
        formula=r"e_l(t) = 0 \text{ for } t < L - l \text{ (feedforward start, not error-based)}",
    )
    step_size: float = option(
        0.3,
        "Step size η",
        "Per example; jpc's learning rate is this times the batch size B.",
        formula=r"\text{gradient descent, quadratic energy: } \eta < 2/\lambda_{\max}(H_z)",
        log=True,
        gt=0,
        le=100,
    )
    momentum: float = option(
        0.9,
        "Momentum β",
        "Heavy-ball memory of the momentum solver; the other solvers ignore it.",
        formula=r"v \leftarrow \beta v + \partial F / \partial z",
        advanced=True,
        ge=0,
        lt=1,
    )
    initial: Literal["feedforward", "zero", "normal"] = option(
        "feedforward",
        "Initial activities",
        "Feedforward: each hidden layer starts at its prediction, so that all the energy sits at the output. Zero, or "
        "normal with standard deviation 0.05.",
        formula=r"z_l(0) = \mu_l(z_{l-1}(0))",
        advanced=True,
    )

    @field_validator("steps", mode="after")
    @classmethod
    def _steps_within(cls, steps: int | str, info: ValidationInfo) -> int | str:
        form = bool((info.context or {}).get("form"))
        allowed = f"0 to {FORM_STEPS_MAX}, or depth" if form else "0 or more, or depth"
        if isinstance(steps, int) and steps < 0:
            raise ValueError(f"inference.steps: {steps} is below 0 (allowed: {allowed})")
        if isinstance(steps, int) and steps > FORM_STEPS_MAX and form:
            raise ValueError(f"inference.steps: {steps} is above {FORM_STEPS_MAX} (allowed: {allowed})")
        return steps


class Learning(Section):
    """The weight update after (pc), during (ipc) or without (bp) the relaxation."""

    rule: Rule = option(
        "pc",
        "Learning rule",
        "pc: one weight step after T inference steps. ipc: weights and activities move together at every inference "
        "step. bp: backpropagation, as a baseline in the same panels.",
        formula=r"\partial F / \partial W_l = -\tfrac{a_l}{B}\, d_l^\top \phi(z_{l-1}),\; d_{l<L} = e_l,\;"
        r" d_L = \lambda e_L",
    )
    optimiser: Literal["adam", "sgd", "adamw"] = option("adam", "Weight optimiser", "Descends the energy's gradient.")
    learning_rate: float | Literal["auto"] = option(
        "auto",
        "Weight learning rate",
        "`auto` is 0.05 for mupc and ntp and 0.001 for sp.",
        log=True,
    )
    adam_epsilon: float = option(
        1e-8,
        "Adam ε",
        "Added to the root of Adam's second moment: gradients far below it hardly move their weights.",
        formula=r"m / (\sqrt{v} + \epsilon)",
        advanced=True,
        log=True,
        gt=0,
        le=1,
    )
    lr_scaling: Literal["none", "width_depth"] = option(
        "none",
        "Learning-rate scaling",
        "`width_depth` multiplies the rate so that it transfers: mupc with Adam (N L)^-1/2 with skips and N^-1/2 "
        "without, with sgd γ² N; 1 for sp and ntp.",
        formula=r"\text{μPC, Adam, skips: } \eta_W \leftarrow \eta_W\, (NL)^{-1/2}",
        advanced=True,
    )
    batch_size: int = option(64, "Batch size B", "Examples in one weight step.", ge=1, le=8192)
    steps: int = option(200, "Weight steps", "Batches to train on.", ge=1, le=1_000_000)
    weight_decay: float = option(
        0.0,
        "Weight decay",
        "Pulls weights to zero: decoupled from the gradient for adamw, added to it for adam and sgd.",
        advanced=True,
        log=True,
        ge=0,
        le=10,
    )

    @field_validator("learning_rate", mode="after")
    @classmethod
    def _rate_within(cls, rate: float | str) -> float | str:
        if isinstance(rate, float) and not 0 < rate <= 100:
            bound = "is not above 0" if rate <= 0 else "is above 100"
            raise ValueError(f"learning.learning_rate: {rate:g} {bound} (allowed: above 0 to 100, or auto)")
        return rate


class Data(Section):
    """What the network learns from."""

    name: Literal["digits", "moons", "circles", "xor", "spiral", "gaussians", "regression"] = option(
        "digits", "Data set", "Bundled with pcviz: nothing is downloaded."
    )
    train_size: int | Literal["all"] = option(
        "all", "Training examples", "How many examples to train on; `all` is the data set's own size.", advanced=True
    )
    test_size: int | Literal["all"] = option(
        "all", "Test examples", "How many unseen examples to test on; `all` is the data set's own size.", advanced=True
    )

    @property
    def facts(self) -> DatasetFacts:
        """Dimensions, task and sizes of the chosen data set."""
        return DATASETS[self.name]

    @property
    def train_count(self) -> int:
        """Number of training examples."""
        return self.facts.train_size if self.train_size == "all" else self.train_size

    @property
    def test_count(self) -> int:
        """Number of test examples."""
        return self.facts.test_size if self.test_size == "all" else self.test_size

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        for field, most in (("train_size", self.facts.train_max), ("test_size", self.facts.test_max)):
            size = getattr(self, field)
            if size != "all" and not 1 <= size <= most:
                bound = "is below 1" if size < 1 else f"is above {most}"
                raise ValueError(f"data.{field}: {size} {bound} (allowed for {self.name}: 1 to {most}, or all)")
        return self


class Experiment(Section):
    """Everything that determines a run. Two equal experiments give bitwise equal runs on one device.

    Documents of earlier versions are read as what they meant then (pcviz.schema).
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema", title="Schema", description="Version of this document.")
    network: Network = Field(default_factory=Network, title="Network")
    inference: Inference = Field(default_factory=Inference, title="Inference")
    learning: Learning = Field(default_factory=Learning, title="Learning")
    data: Data = Field(default_factory=Data, title="Data")
    seed: int = option(0, "Seed", "Fixes weights, data order and noise.", ge=0, le=2**32 - 1)
    dtype: Literal["float32", "float64"] = option(
        "float32", "Precision", "Number format of weights and activities.", advanced=True
    )

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, document: Any) -> Any:
        return upgraded_document(document) if isinstance(document, dict) else document

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.network.loss == "ce" and self.data.facts.task != "classification":
            raise ValueError(
                f"network.loss: ce needs classes, and data.name {self.data.name} is a regression (allowed: mse)"
            )
        if self.learning.batch_size > self.data.train_count:
            raise ValueError(
                f"learning.batch_size: {self.learning.batch_size} is above {self.data.train_count}, the number of "
                f"training examples (allowed: 1 to {self.data.train_count})"
            )
        if self.learning.rule == "ipc" and self.inference.solver == "error_based":
            raise ValueError(
                "inference.solver: error_based does not go with learning.rule ipc, whose weights move during the "
                "relaxation of the activities (allowed: gradient_descent, momentum, adam)"
            )
        return self

    @property
    def hidden_layers(self) -> int:
        """H = L - 1."""
        return self.network.depth - 1

    @property
    def inference_steps(self) -> int:
        """T: the number of inference steps of training; 0 for backpropagation, which has none."""
        return 0 if self.learning.rule == "bp" else self.relaxation_steps

    @property
    def relaxation_steps(self) -> int:
        """T, with `depth` resolved to H, whatever the rule: a relaxation is looked at even where training has none."""
        return self.hidden_layers if self.inference.steps == "depth" else self.inference.steps

    @property
    def steps_per_epoch(self) -> int:
        """Weight steps in one pass over the training examples; the incomplete last batch is dropped."""
        return self.data.train_count // self.learning.batch_size

    @property
    def learning_rate(self) -> float:
        """The weight learning rate with `auto` and `lr_scaling` resolved (theory.md 2.2)."""
        rate = self.learning.learning_rate
        base = (1e-3 if self.network.parameterisation == "sp" else 0.05) if rate == "auto" else rate
        return base * self._rate_scale()

    def _rate_scale(self) -> float:
        network, learning = self.network, self.learning
        if learning.lr_scaling == "none" or network.parameterisation != "mupc":
            return 1.0
        if learning.optimiser == "sgd":
            return network.gamma**2 * network.width
        return float((network.width * (network.depth if network.skips else 1)) ** -0.5)

    def __repr__(self) -> str:
        """What differs from the defaults, as Python."""
        changes = self.differences()
        return f"Experiment().changed({changes})" if changes else "Experiment()"

    __str__ = __repr__

    def differences(self) -> dict[str, Any]:
        """Field path -> value, for every option that differs from its default (the initialisation that belongs to
        the parameterisation counts as default). `from_paths` is the inverse."""
        default = flatten(Experiment().model_dump())
        default["network.initialisation"] = default_initialisation(self.network.parameterisation)
        return {path: value for path, value in flatten(self.model_dump()).items() if value != default[path]}

    def changed(self, changes: dict[str, Any]) -> Experiment:
        """This experiment with the options in `changes` (field path -> value) replaced; raises ValidationError."""
        return from_paths({**self.differences(), **changes})


def from_paths(values: dict[str, Any], *, form: bool = False) -> Experiment:
    """An experiment from field paths and values; `form` applies the tighter limits of form and URL.

    Raises pydantic.ValidationError (see `pcviz.faults` for its messages).
    """
    return Experiment.model_validate(unflatten(values), context={"form": form})


def fields() -> dict[str, Any]:
    """Field path -> pydantic FieldInfo, in the order in which a person meets them."""
    found: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            found |= {f"{name}.{inner}": field for inner, field in info.annotation.model_fields.items()}
        elif name != "schema_version":
            found[name] = info
    return found
