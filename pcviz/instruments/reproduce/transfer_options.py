"""Transfer: does the best learning rate stay where it is when a network gets wider, or deeper (theory.md 2.2)?"""

from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts

RATES = tuple(float(f"{10 ** (k / 4 - 5):.6g}") for k in range(28))
"""Four in each decade, 1e-5 to 56."""


class Kind(NamedTuple):
    """A way to parameterise: label, how its experiment differs, and the rates among which its best one is looked for
    (least, greatest)."""

    label: str
    changes: dict[str, Any]
    rates: tuple[float, float]


KINDS: dict[str, Kind] = {
    "mupc": Kind("μPC", {"network.parameterisation": "mupc"}, (1e-2, 3.0)),
    "mupc_scaled": Kind(
        "μPC, rate / √(NL)",
        {"network.parameterisation": "mupc", "learning.lr_scaling": "width_depth"},
        (0.1, 56.3),
    ),
    "sp": Kind("SP", {"network.parameterisation": "sp"}, (1e-4, 0.2)),
}
"""Name -> facts, in reading order."""
SET_UP: dict[str, Any] = {
    "network.activation": "tanh",
    "network.skips": True,
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
}
"""What all networks share besides the size of the other direction."""
STILL, MOVES = 0.5, 1.0
"""Decades by which the best rate of μPC may move at most, and that of SP moves at least."""


class Point(NamedTuple):
    """One training: the kind of parameterisation, the size that varies, weight rate, activity step, seed."""

    kind: str
    size: int
    rate: float
    step: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.kind} {self.size} rate {self.rate:g} step {self.step:g} seed {self.seed}"


class Transfer(NamedTuple):
    """Networks whose `path` (width or depth) takes `sizes`, the rest being `base`; activity steps are per example."""

    path: str
    sizes: tuple[int, ...]
    base: dict[str, Any]
    kinds: tuple[str, ...] = tuple(KINDS)
    steps: tuple[float, ...] = (0.05, 0.16, 0.5)
    seeds: tuple[int, ...] = (0, 1, 2)
    every: int = 1
    weight_steps: int = 60

    @property
    def cells(self) -> dict[str, Point]:
        """The trainings by name; all of a seed before the next one."""
        points = [
            Point(kind, size, rate, step, seed)
            for seed, kind, size in product(self.seeds, self.kinds, self.sizes)
            for rate, step in product(self.rates(kind), self.steps)
        ]
        return {point.name: point for point in points}

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths of its networks."""
        return self.sizes if self.path == "network.depth" else (self.base["network.depth"],)

    def rates(self, kind: str) -> tuple[float, ...]:
        """The rates that are tried."""
        least, greatest = KINDS[kind].rates
        return tuple(rate for rate in RATES if 0.99 * least <= rate <= 1.01 * greatest)[:: self.every]

    def experiment_of(self, point: Point) -> Experiment:
        """The training of one point."""
        own = {self.path: point.size, "learning.learning_rate": point.rate, "inference.step_size": point.step}
        rest = {"seed": point.seed, "learning.steps": self.weight_steps}
        return from_paths({**SET_UP, **self.base, **KINDS[point.kind].changes, **own, **rest})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each size compiles for all."""
        found: Parts = {}
        known: dict[int, float] = {}
        for name, point in self.cells.items():
            found[name] = 0.0
            if point.size not in known:
                known[point.size] = PAIRED * cost.estimate(self.experiment_of(point)).seconds
                found[name] += 3 * PROGRAM_SECONDS
            found[name] += known[point.size]
        return found


WIDTHS = Transfer("network.width", (16, 32, 64, 128, 256), {"network.depth": 9})
DEPTHS = Transfer("network.depth", (5, 9, 17, 33, 65), {"network.width": 32})
