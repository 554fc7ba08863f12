"""Options of a look at the family of parameterisations: which member, and the plane of two exponents that is drawn."""

from itertools import product
from typing import ClassVar

from pcviz.experiment import Experiment, option
from pcviz.experiment.family import Member, Size
from pcviz.experiment.looks import PROGRAM_SECONDS, GroupOptions, Parts
from pcviz.experiment.section import one_of

WIDTHS, SHALLOW = (64, 128, 256, 512), 8
"""Widths N from which exponents in N follow, and the depth of these networks."""
DEPTHS, NARROW = (8, 16, 32, 64), 256
"""Depths L from which exponents in L follow, and the width of these networks."""
PATHS = (tuple((n, SHALLOW) for n in WIDTHS), tuple((NARROW, depth) for depth in DEPTHS))
"""Width and depth of the networks along both."""
LIMITS = {"a": (-0.5, 1.0), "b": (-1.0, 2.0), "c": (-1.0, 2.0), "d": (-0.5, 1.5), "depth": (0.0, 1.5)}
"""Exponent -> its range, on the sliders and in the plane."""
SYMBOLS = {name: name for name in "abcd"} | {"depth": "α"}


def _exponent(name: str, default: float, title: str, text: str) -> float:
    low, high = LIMITS[name]
    chosen: float = option(default, title, text, ge=low, le=high)
    return chosen


class Options(GroupOptions):
    """The options of a run of kind "family": the exponents of a member (theory.md 2.5), how many networks of each size
    are measured, and the exponents along the axes of the map."""

    PAGE: ClassVar[str] = "scaling"
    OF_NETWORK: ClassVar[bool] = False
    KEYS: ClassVar[dict[str, str]] = {
        "family_a": "a",
        "family_b": "b",
        "family_c": "c",
        "family_d": "d",
        "family_depth": "depth",
        "family_seeds": "seeds",
        "family_x": "x",
        "family_y": "y",
    }

    a: float = _exponent("a", 0.5, "a: premultiplier", "Hidden layers and the read-out are multiplied by 1 / Nᵃ.")
    b: float = _exponent("b", 0.0, "b: variance", "Weights have the variance 1 / Nᵇ at the start.")
    c: float = _exponent("c", 0.0, "c: learning rate", "All learning rates are N²ᵈ / Nᶜ.")
    d: float = _exponent("d", 0.5, "d: output", "The output is divided by Nᵈ. Without it lazy and rich look alike.")
    depth: float = _exponent("depth", 0.5, "α: depth", "The branches beside the skips are multiplied by 1 / Lᵅ.")
    seeds: int = option(3, "Seeds", "Networks of each size.", ge=2, le=20)
    x: one_of(LIMITS) = "d"  # type: ignore[valid-type]
    y: one_of(LIMITS) = "depth"  # type: ignore[valid-type]

    @property
    def member(self) -> Member:
        """The exponents."""
        return Member(self.a, self.b, self.c, self.d, self.depth)

    @property
    def sizes(self) -> dict[str, Size]:
        """The networks by name, small ones first; all of a seed before the next one."""
        distinct = sorted({size for path in PATHS for size in path}, key=lambda size: size[0] ** 2 * size[1])
        sizes = [Size(*size, seed) for seed, size in product(range(self.seeds), distinct)]
        return {size.name: size for size in sizes}

    def own_parts(self, experiment: Experiment) -> Parts:
        """The networks; the first of a shape compiles for all its seeds. The experiment does not matter."""
        return {
            name: 0.02 + 6e-8 * size.depth * size.width**2 + (PROGRAM_SECONDS if size.seed == 0 else 0.0)
            for name, size in self.sizes.items()
        }


KINDS = {"family": Options}
