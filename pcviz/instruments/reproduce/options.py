"""Published findings that `reproduce` can measure again: the protocols, and the reported exponents."""

from itertools import product
from typing import ClassVar, Literal, NamedTuple

from pcviz.experiment import Experiment
from pcviz.experiment.looks import GroupOptions, Parts
from pcviz.instruments.relaxation.options import ARRIVED

SOLVERS = ("gradient_descent", "nesterov", "error_based", "conjugate_gradient", "gauss_newton")


class Reported(NamedTuple):
    """An exponent in the depth L with its 95 % interval."""

    exponent: float
    low: float
    high: float


class Cell(NamedTuple):
    """One network."""

    depth: int
    width: int
    activation: str
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"L={self.depth} N={self.width} {self.activation} seed {self.seed}"


class Protocol(NamedTuple):
    """Networks and limits of one reproduction. All networks: muPC with skips at initialisation, digits, float64.

    `batch`: examples; `share`: of the initial excess energy, to be reached and held; `hold`: for how long it must be
    held, as a share of the steps taken until then, but at least `least_hold` steps. Gradient descent needs most steps
    and cannot go up (its step is 1 / lambda_max): it is watched for `descent_hold` and runs in `descent_dtype`.
    """

    depths: tuple[int, ...] = (8, 16, 32, 64, 128)
    widths: tuple[int, ...] = (32, 64)
    activations: tuple[str, ...] = ("tanh", "relu", "gelu")
    seeds: tuple[int, ...] = (0, 1, 2)
    batch: int = 8
    share: float = ARRIVED
    hold: float = 1.0
    descent_hold: float = 0.1
    least_hold: int = 8
    descent_dtype: str = "float32"

    @property
    def cells(self) -> dict[str, Cell]:
        """The networks by name, shallow ones first: results appear early, with exponents even if the run is stopped."""
        cells = [Cell(*at) for at in product(self.depths, self.widths, self.activations, self.seeds)]
        return {cell.name: cell for cell in cells}


class Reproduction(NamedTuple):
    """A finding: what it is about, the full protocol, and a quick one for trials and tests."""

    help: str
    full: Protocol
    quick: Protocol


REPRODUCTIONS: dict[str, Reproduction] = {
    "inference-budget": Reproduction(
        "how many iterations and gradient evaluations inference needs as networks get deeper",
        Protocol(),
        Protocol(depths=(8, 16, 32), widths=(32,), activations=("tanh",), seeds=(0,)),
    ),
}

REPORTED: dict[str, Reported] = {
    "condition_number": Reported(2.02, 1.95, 2.10),
    "gradient_descent": Reported(1.92, 1.78, 2.05),
    "nesterov": Reported(1.21, 1.16, 1.27),
}
"""Of theory.md 4.10: relu, width 32, MNIST, steps until test accuracy is 90 to 98 % of backprop's. The quantity differs
from ours (energy at initialisation), the scaling should not."""

OURS = ("error_based", "conjugate_gradient", "gauss_newton")
"""Solvers in error coordinates, for which no exponents are reported."""

PROMISED = 0.6
"""The exponent that the best of them should not exceed."""


class Options(GroupOptions):
    """The options of a run of kind "reproduce": which `finding` is measured again, and by which of its protocols."""

    PAGE: ClassVar[str] = "landscape"
    KEYS: ClassVar[dict[str, str]] = {"reproduce_protocol": "protocol"}
    OF_NETWORK: ClassVar[bool] = False

    finding: Literal["inference-budget"] = "inference-budget"
    protocol: Literal["quick", "full"] = "quick"

    @property
    def chosen(self) -> Protocol:
        """The networks and limits."""
        reproduction = REPRODUCTIONS[self.finding]
        return reproduction.quick if self.protocol == "quick" else reproduction.full

    def own_parts(self, experiment: Experiment) -> Parts:
        """The networks; the experiment does not matter. The first of a shape compiles for all its seeds."""
        first = self.chosen.seeds[0]
        return {name: cell_seconds(cell, cell.seed == first) for name, cell in self.chosen.cells.items()}


def cell_seconds(cell: Cell, compiles: bool) -> float:
    """Seconds that one network adds, half of what it takes: another is measured beside it."""
    return (9.0 if compiles else 0.0) + 0.3 + 1.8 * (cell.depth / 64) ** 2 * (cell.width / 32) ** 1.5


KINDS = {"reproduce": Options}
