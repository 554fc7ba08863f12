"""Networks at the start of a training: the forward pass, and the conditioning of inference, against closed forms
(theory.md 4.3 to 4.5)."""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, from_paths
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


class Place(NamedTuple):
    """One cell: the kind of start, width, depth."""

    kind: str
    width: int
    depth: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.kind} N={self.width} L={self.depth}"


class Start(NamedTuple):
    """Linear networks of all `kinds`, `seeds` of each, on the first `examples` digits, float64."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    seeds: int
    kinds: tuple[str, ...] = tuple(KINDS)
    examples: int = 16

    @property
    def cells(self) -> dict[str, Place]:
        """The cells by name, small networks first."""
        places = [Place(kind, n, depth) for depth, n, kind in product(self.depths, self.widths, self.kinds)]
        return {place.name: place for place in places}

    def experiment_of(self, place: Place, seed: int) -> Experiment:
        """The experiment of one network."""
        own = {"network.width": place.width, "network.depth": place.depth, "network.activation": "linear"}
        return from_paths({**KINDS[place.kind].changes, **own, "seed": seed, "dtype": "float64"})

    @property
    def parts(self) -> Parts:
        """Seconds that each cell adds; two programs for each shape, shared by what has skips and what has none."""
        return {
            name: 2 * PROGRAM_SECONDS * 2 / len(self.kinds)
            + self.seeds * (0.01 + 1e-10 * place.depth * place.width**2 * 60)
            for name, place in self.cells.items()
        }


def growth(experiment: Experiment) -> float:
    """By what factor a hidden layer multiplies the expected square of what passes it: tau² + a² N v, v the variance of
    a weight."""
    return float(experiment.network.skips) + _gain(experiment, 1)  # all hidden layers are alike


def _gain(experiment: Experiment, layer: int) -> float:
    """a_l² times the expected squared norm of a row of W_{l+1} (rows of hidden and output layers have N entries)."""
    network = experiment.network
    squares = {"normal": network.width, "lecun_normal": 1.0, "uniform": 1 / 3, "orthogonal": 1.0}
    scales = network.scaling.premultipliers(
        experiment.data.facts.input_dim, network.width, network.depth, skips=network.skips, gamma=network.gamma
    )
    return scales[layer] ** 2 * squares[network.initialisation]


def expected_rescaling(experiment: Experiment) -> float:
    """E[tr S / K] = 1 + a_L² N v (1 + g + … + g^{H-1}), g = `growth`: each layer's G_l is one map longer."""
    g, hidden = growth(experiment), experiment.hidden_layers
    total = hidden if math.isclose(g, 1.0) else (g**hidden - 1) / (g - 1)
    return 1 + _gain(experiment, experiment.network.depth - 1) * total


def orthogonal_curvatures(hidden: int) -> tuple[float, float]:
    """Least and greatest eigenvalue of the activity Hessian of orthogonal maps without skips, fewer outputs than units.

    It falls apart into chains with 2 on the diagonal and -1 beside it. In directions that the output sees, all diagonal
    entries are 2, and the greatest eigenvalue is 4 cos²(pi / (2H + 2)); in the others the last one is 1, and the least
    is 4 sin²(pi / (4H + 2)).
    """
    return 4 * math.sin(math.pi / (4 * hidden + 2)) ** 2, 4 * math.cos(math.pi / (2 * hidden + 2)) ** 2


def over_depth(
    found: Cells, protocol: Start, read: Callable[[dict[str, Any]], Sequence[float]], chart: Chart
) -> list[Chart]:
    """A chart like `chart` for each width, with a curve over depth for each kind; `read` gives middle, low, high and
    reference of a cell."""
    cells = {(cell["kind"], cell["width"], cell["depth"]): read(cell) for cell in found}
    charts = []
    for width in protocol.widths:
        curves = []
        for kind in protocol.kinds:
            rows = [cells.get((kind, width, depth), (math.nan,) * 4) for depth in protocol.depths]
            middle, low, high, reference = zip(*rows, strict=True)
            curves.append(Curve(KINDS[kind].label, middle, low, high, reference=reference))
        title = f"{chart.title}, N = {width}"
        charts.append(
            chart._replace(title=title, x="depth L", places=protocol.depths, curves=curves, log_x=True, log_y=True)
        )
    return charts


FORWARD = Start((16, 64, 256), (4, 8, 16, 32), 40)
CONDITIONING = Start((32, 128), (3, 5, 9, 17, 33), 3)
