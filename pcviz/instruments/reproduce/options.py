"""Published findings that `reproduce` can measure again: the protocols, and the reported exponents."""

from itertools import product
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

from pcviz.experiment import Experiment
from pcviz.experiment.looks import GroupOptions, Parts
from pcviz.experiment.section import one_of
from pcviz.instruments.relaxation.options import ARRIVED
from pcviz.instruments.reproduce.backprop_options import FULL, QUICK, Backprop
from pcviz.instruments.reproduce.start_options import CONDITIONING, FORWARD, Start
from pcviz.instruments.reproduce.transfer_options import DEPTHS, WIDTHS, Transfer

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

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds. The first of a shape compiles for all its seeds."""
        return {name: cell_seconds(cell, cell.seed == self.seeds[0]) for name, cell in self.cells.items()}


class MethodFacts(NamedTuple):
    """A method of training: label, how its experiment differs, accuracies reported at L = 3, 5, 10, 15 in %."""

    label: str
    changes: dict[str, Any]
    reported: tuple[float, ...] = ()


_SPIKING: dict[str, Any] = {"inference.precision_schedule": "spiking", "inference.step_size": 0.5}
_FORWARD: dict[str, Any] = {"learning.forward_update": True}
METHODS: dict[str, MethodFacts] = {
    "bp": MethodFacts("backprop", {"learning.rule": "bp"}, (95.7, 96.8, 97.2, 97.5)),
    "pc_small": MethodFacts("PC, step 0.05", {"inference.step_size": 0.05}, (95.3, 96.4, 95.4, 82.6)),
    "pc_large": MethodFacts("PC, step 0.5", {"inference.step_size": 0.5}, (94.0, 89.0, 37.4, 25.4)),
    "fu_small": MethodFacts(
        "forward update, step 0.05", {**_FORWARD, "inference.step_size": 0.05}, (96.4, 96.5, 95.7, 83.9)
    ),
    "fu_large": MethodFacts(
        "forward update, step 0.5", {**_FORWARD, "inference.step_size": 0.5}, (93.3, 60.3, 17.9, 18.8)
    ),
    "spiking": MethodFacts("spiking", _SPIKING, (95.4, 96.5, 97.2, 97.2)),
    "spiking_fu": MethodFacts("spiking + forward update", {**_SPIKING, **_FORWARD}, (95.7, 96.8, 97.2, 97.5)),
    "decaying_fu": MethodFacts(
        "decaying + forward update",
        {**_SPIKING, **_FORWARD, "inference.precision_schedule": "decaying"},
        (95.7, 96.8, 97.2, 97.5),
    ),
    "ipc": MethodFacts("iPC", {"learning.rule": "ipc", "inference.step_size": 0.5}, (97.9, 98.2, 93.6, 82.8)),
    "ipc_spiking": MethodFacts("iPC + spiking", {**_SPIKING, "learning.rule": "ipc"}, (96.5, 97.6, 96.8, 56.1)),
    "epc": MethodFacts(
        "error-based, 5 steps of 0.1",
        {"inference.solver": "error_based", "inference.steps": 5, "inference.step_size": 0.1},
        (95.6, 95.7, 88.8, 79.0),
    ),
    "centred": MethodFacts(
        "centred nudging, hard, β = 0.2",
        {
            "inference.nudging": "centred",
            "inference.output_clamp": "hard",
            "inference.nudge_strength": 0.2,
            "inference.step_size": 0.05,
        },
        (95.4, 96.5, 95.6, 83.2),
    ),
}
"""Name -> facts, in reading order."""

PROMISED_GAP, PROMISED_LOSS = 1.0, 10.0
"""Points by which schedules may stay below backprop, and plain PC at least does where it is deepest."""


class Trial(NamedTuple):
    """One network that learns by one method."""

    method: str
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.method} L={self.depth} seed {self.seed}"


class DeepMethods(NamedTuple):
    """Networks of a comparison of methods; how all of them learn is `deep_methods.SET_UP`."""

    depths: tuple[int, ...] = (3, 5, 10, 15)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    methods: tuple[str, ...] = tuple(METHODS)
    epochs: int = 12

    @property
    def cells(self) -> dict[str, Trial]:
        """The networks by name; all methods of a depth and seed before the next seed."""
        trials = [Trial(m, d, s) for d, s, m in product(self.depths, self.seeds, self.methods)]
        return {trial.name: trial for trial in trials}

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds."""
        each = self.epochs / 12
        return {name: 0.5 + each * (0.4 + 0.12 * trial.depth) for name, trial in self.cells.items()}


AnyProtocol: TypeAlias = Protocol | DeepMethods | Transfer | Start | Backprop


class Reproduction(NamedTuple):
    """A finding: what it is about, the full protocol, and a quick one for trials and tests."""

    help: str
    full: AnyProtocol
    quick: AnyProtocol


REPRODUCTIONS: dict[str, Reproduction] = {
    "inference-budget": Reproduction(
        "how many iterations and gradient evaluations inference needs as networks get deeper",
        Protocol(),
        Protocol(depths=(8, 16, 32), widths=(32,), activations=("tanh",), seeds=(0,)),
    ),
    "deep-methods": Reproduction(
        "what precision schedules and forward updates do for the accuracy of deep networks",
        DeepMethods(),
        DeepMethods(depths=(3, 15), seeds=(0,), methods=("bp", "pc_small", "pc_large", "spiking_fu"), epochs=6),
    ),
    "transfer-width": Reproduction(
        "whether the best weight rate stays where it is as networks get wider",
        WIDTHS,
        WIDTHS._replace(sizes=(16, 64, 256), seeds=(0,), steps=(0.16,), every=2),
    ),
    "transfer-depth": Reproduction(
        "whether the best weight rate stays where it is as networks get deeper",
        DEPTHS,
        DEPTHS._replace(sizes=(5, 17, 65), seeds=(0,), steps=(0.16,), every=2),
    ),
    "forward-pass": Reproduction(
        "how the rescaling S and activities grow with width and depth, against their expected values",
        FORWARD,
        FORWARD._replace(widths=(16, 64), depths=(4, 16), seeds=20),
    ),
    "conditioning": Reproduction(
        "how ill-conditioned inference is at the start, over width and depth",
        CONDITIONING,
        CONDITIONING._replace(widths=(32,), depths=(3, 9, 33), seeds=1),
    ),
    "pc-is-bp": Reproduction("when predictive coding becomes backpropagation, over width and depth", FULL, QUICK),
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

    finding: one_of(REPRODUCTIONS) = "inference-budget"  # type: ignore[valid-type]
    protocol: Literal["quick", "full"] = "quick"

    @property
    def chosen(self) -> AnyProtocol:
        """The networks and limits."""
        reproduction = REPRODUCTIONS[self.finding]
        return reproduction.quick if self.protocol == "quick" else reproduction.full

    def own_parts(self, experiment: Experiment) -> Parts:
        """The networks; the experiment does not matter."""
        return self.chosen.parts


def cell_seconds(cell: Cell, compiles: bool) -> float:
    """Seconds that one network adds, half of what it takes: another is measured beside it."""
    return (9.0 if compiles else 0.0) + 0.3 + 1.8 * (cell.depth / 64) ** 2 * (cell.width / 32) ** 1.5


KINDS = {"reproduce": Options}
