"""Networks at the start of a training: the forward pass, and the conditioning of inference, against closed forms
(theory.md 4.3 to 4.5)."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.study import Cells


class Kind(NamedTuple):
    """A way to begin: label, how its experiment differs, and whether its S has so heavy a tail that standard errors say
    little about its mean."""

    label: str
    changes: dict[str, Any]
    heavy: bool = False


def _kind(label: str, parameterisation: str, initialisation: str, skips: bool, heavy: bool = False) -> Kind:
    changes = {"parameterisation": parameterisation, "initialisation": initialisation, "skips": skips}
    return Kind(label, {f"network.{name}": value for name, value in changes.items()}, heavy)


KINDS: dict[str, Kind] = {
    "mupc_skips": _kind("μPC, skips", "mupc", "normal", True),
    "mupc": _kind("μPC", "mupc", "normal", False),
    "ntp_skips": _kind("NTP, skips", "ntp", "normal", True),
    "ntp": _kind("NTP", "ntp", "normal", False),
    "lecun_skips": _kind("SP, LeCun, skips", "sp", "lecun_normal", True, True),
    "lecun": _kind("SP, LeCun", "sp", "lecun_normal", False),
    "uniform_skips": _kind("SP, uniform, skips", "sp", "uniform", True, True),
    "uniform": _kind("SP, uniform", "sp", "uniform", False),
    "orthogonal": _kind("SP, orthogonal", "sp", "orthogonal", False),
}
"""Name -> facts, in reading order."""


class Cell(NamedTuple):
    """One cell: the kind of start, width, depth, activation; `scalar`: one input and one target, both 1."""

    kind: str
    width: int
    depth: int
    activation: str = "linear"
    scalar: bool = False

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        rest = [self.activation] * (self.activation != "linear") + ["scalar"] * self.scalar
        return " ".join([self.kind, f"N={self.width}", f"L={self.depth}", *rest])

    @property
    def program(self) -> tuple[int, int, str, bool, bool]:
        """Networks for which it is the same share compiled programs."""
        skips = KINDS[self.kind].changes["network.skips"]
        return self.width, self.depth, self.activation, self.scalar, skips


class Start(NamedTuple):
    """Networks of all `kinds` and `activations`, `seeds` of each, on the first `examples` digits, and `scalars`
    besides; float64. With activations that are not linear, kinds that are not `at_all_sizes` are measured in the
    greatest networks alone. `compiling`: seconds of the programs that networks share."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    seeds: int
    kinds: tuple[str, ...] = tuple(KINDS)
    examples: int = 16
    activations: tuple[str, ...] = ("linear",)
    at_all_sizes: tuple[str, ...] = ("mupc_skips", "mupc", "ntp_skips", "ntp")
    scalars: tuple[Cell, ...] = ()
    compiling: float = 2 * PROGRAM_SECONDS

    @property
    def greatest(self) -> tuple[int, int]:
        """Width and depth of the greatest networks."""
        return self.widths[-1], self.depths[-1]

    @property
    def nonlinear(self) -> tuple[str, ...]:
        """The activations that are not linear."""
        return tuple(name for name in self.activations if name != "linear")

    @property
    def linear_count(self) -> int:
        """How many cells are linear networks, one of every kind, width and depth."""
        return len(self.kinds) * len(self.widths) * len(self.depths)

    @property
    def cells(self) -> dict[str, Cell]:
        """The cells by name, small networks first."""
        places = [
            Cell(kind, n, depth, activation)
            for depth, n, activation, kind in product(self.depths, self.widths, self.activations, self.kinds)
            if activation == "linear" or kind in self.at_all_sizes or (n, depth) == self.greatest
        ]
        return {place.name: place for place in (*places, *self.scalars)}

    def experiment_of(self, place: Cell, seed: int) -> Experiment:
        """The experiment of one network."""
        own = {"width": place.width, "depth": place.depth, "activation": place.activation}
        paths = {f"network.{name}": value for name, value in own.items()}
        return from_paths({**KINDS[place.kind].changes, **paths, "seed": seed, "dtype": "float64"})

    @property
    def parts(self) -> Parts:
        """Seconds that each cell adds."""
        cells = self.cells
        sharing = Counter(place.program for place in cells.values())
        return {
            name: self.compiling / sharing[place.program]
            + self.seeds * (0.006 + 1e-10 * place.depth * place.width**2 * 60)
            for name, place in cells.items()
        }


def orthogonal_curvatures(hidden: int) -> tuple[float, float]:
    """Least and greatest eigenvalue of the activity Hessian of orthogonal maps without skips, fewer outputs than units.

    It falls apart into chains with 2 on the diagonal and -1 beside it. In directions that the output sees, all diagonal
    entries are 2, and the greatest eigenvalue is 4 cos²(pi / (2H + 2)); in the others the last one is 1, and the least
    is 4 sin²(pi / (4H + 2)).
    """
    return 4 * math.sin(math.pi / (4 * hidden + 2)) ** 2, 4 * math.cos(math.pi / (2 * hidden + 2)) ** 2


Read: TypeAlias = Callable[[dict[str, Any]], Sequence[float]]
"""What a chart shows of a cell: middle, low, high, reference."""


def by_cell(found: Cells) -> dict[Cell, dict[str, Any]]:
    """What was measured of each place."""
    return {Cell(*(cell[field] for field in Cell._fields)): cell for cell in found}


def curve_over(name: str, places: Sequence[Cell], found: Cells, read: Read) -> Curve:
    """The curve over these places."""
    seen = by_cell(found)
    rows = [read(seen[place]) if place in seen else (math.nan,) * 4 for place in places]
    middle, low, high, reference = zip(*rows, strict=True)
    return Curve(name, middle, low, high, reference=reference)


def over_depth(found: Cells, protocol: Start, read: Read, chart: Chart) -> list[Chart]:
    """A chart like `chart` of linear networks for each width, with a curve over depth for each kind."""
    charts = []
    for width in protocol.widths:
        curves = [
            curve_over(KINDS[kind].label, [Cell(kind, width, depth) for depth in protocol.depths], found, read)
            for kind in protocol.kinds
        ]
        title = f"{chart.title}, N = {width}"
        charts.append(
            chart._replace(title=title, x="depth L", places=protocol.depths, curves=curves, log_x=True, log_y=True)
        )
    return charts


def over_activations(found: Cells, protocol: Start, read: Read, chart: Chart) -> Chart:
    """A chart like `chart` of the greatest networks, with a point at each activation for each kind."""
    curves = []
    for kind in protocol.kinds:
        places = [Cell(kind, *protocol.greatest, name) for name in protocol.activations]
        curves.append(curve_over(KINDS[kind].label, places, found, read))
    title = f"{chart.title}, N = {protocol.widths[-1]}, L = {protocol.depths[-1]}"
    return chart._replace(title=title, x="", places=protocol.activations, curves=curves, log_y=True, joined=False)


SCALARS = tuple(
    Cell(kind, 128, 16, activation, scalar=True)
    for activation in ("linear", "tanh", "relu")
    for kind in ("uniform", "uniform_skips", "mupc_skips")
)
"""Networks of which condition numbers were published (notebook of the μPC paper)."""
FORWARD = Start((16, 64, 256), (4, 8, 16, 32), 40, activations=tuple(ACTIVATIONS), compiling=PROGRAM_SECONDS / 2)
CONDITIONING = Start((32, 128), (3, 5, 9, 17, 33), 3, examples=2, activations=tuple(ACTIVATIONS), scalars=SCALARS)
