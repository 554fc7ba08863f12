"""Transfer: does the best weight rate stay where it is when a network gets wider, or deeper (theory.md 2.2; muPC paper,
figures 1 and 5)?

What counts is the least training loss of a run, its geometric mean over seeds, with the best activity step for each
rate. A best rate at the edge of those tried says nothing: it may lie beyond.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study
from pcviz.instruments.sweep.grid import NEAR

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
ROUNDING = 1e-3
"""Decades by which rates, written with six digits, may be off."""
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
    def all_rates(self) -> tuple[float, ...]:
        """All rates that are tried with some kind."""
        return tuple(sorted({rate for kind in self.kinds for rate in self.rates(kind)}))

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


def report(found: Cells, protocol: Transfer) -> Report:
    """The best rate of every kind and size, how far it moves, and the verdict."""
    kinds = [_kind(kind, found, protocol) for kind in protocol.kinds]
    what = protocol.path.partition(".")[2]
    curves = [Curve(kind["label"], *_rates(kind, protocol)) for kind in kinds]
    best = Chart(
        f"Best weight rate against {what}",
        {"width": "width N", "depth": "depth L"}[what],
        "best weight rate",
        protocol.sizes,
        curves,
        "The weight rate with the least training loss, and the range of rates within 10 % of it. What transfers stays "
        "where it is.",
        log_x=True,
        log_y=True,
    )
    seeds = len(protocol.seeds)
    how = (
        f"digits, tanh, skips, gradient descent on activities with T = H, {protocol.weight_steps} steps of Adam; "
        f"least training loss, best of {len(protocol.steps)} activity step(s), geometric mean over {seeds} seed(s)"
    )
    return Report([best, *_losses_at_ends(found, protocol)], verdict(kinds, protocol), how, {"kinds": kinds})


def _rates(kind: dict[str, Any], protocol: Transfer) -> list[list[float]]:
    rows = [kind["by_size"][str(size)] for size in protocol.sizes]
    return [[math.nan if row is None else row[name] for row in rows] for name in ("rate", "from", "to")]


def _losses_at_ends(found: Cells, protocol: Transfer) -> list[Chart]:
    """Losses against rates, at the least and the greatest size."""
    charts = []
    for size in (protocol.sizes[0], protocol.sizes[-1]):
        row = protocol.sizes.index(size)
        curves = []
        for kind in protocol.kinds:
            means = dict(zip(protocol.rates(kind), _means(_losses(kind, found, protocol))[row], strict=True))
            curves.append(Curve(KINDS[kind].label, [_finite(means.get(rate, math.nan)) for rate in protocol.all_rates]))
        name = f"{protocol.path.partition('.')[2]} {size}"
        text = "The best weight rate is where a curve is lowest. Curves break where a training diverged."
        charts.append(
            Chart(f"Loss at {name}", "weight rate", "least training loss", protocol.all_rates, curves, text, True, True)
        )
    return charts


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _kind(kind: str, found: Cells, protocol: Transfer) -> dict[str, Any]:
    losses = _losses(kind, found, protocol)
    rates = protocol.rates(kind)
    rows = [_best(rates, over) for over in _means(losses)]
    by_seed = [
        drift([_best(rates, over) for over in _means(losses[..., [seed]])]) for seed in range(len(protocol.seeds))
    ]
    return {
        "kind": kind,
        "label": KINDS[kind].label,
        "by_size": {str(size): row for size, row in zip(protocol.sizes, rows, strict=True)},
        "drift": drift(rows),
        "drift_of_seeds": by_seed,
        "interior": all(row is not None and row["interior"] for row in rows),
    }


def _losses(kind: str, found: Cells, protocol: Transfer) -> np.ndarray:
    """(sizes, rates, steps, seeds): NaN where nothing was trained yet."""
    axes = (protocol.sizes, protocol.rates(kind), protocol.steps, protocol.seeds)
    losses = np.full([len(axis) for axis in axes], np.nan)
    for cell in found:
        if cell["kind"] == kind:
            at = (cell[name] for name in ("size", "rate", "step", "seed"))
            losses[tuple(axis.index(value) for axis, value in zip(axes, at, strict=True))] = cell["least_loss"]
    return losses


def _means(losses: np.ndarray) -> np.ndarray:
    """Geometric means over seeds of the best activity step, (sizes, rates); NaN unless all were trained."""
    means: np.ndarray = np.exp(np.log(losses).mean(-1)).min(-1)
    return means


def _best(rates: Sequence[float], losses: np.ndarray) -> dict[str, Any] | None:
    """The best rate, the range that is as good, its loss, and whether it is interior; None before all are known."""
    if np.isnan(losses).any() or not np.isfinite(losses).any():
        return None
    at = int(np.argmin(losses))
    good = np.flatnonzero(losses <= losses[at] * (1 + NEAR))
    return {
        "rate": rates[at],
        "from": rates[good[0]],
        "to": rates[good[-1]],
        "loss": float(losses[at]),
        "interior": 0 < at < len(rates) - 1,
    }


def drift(rows: Sequence[dict[str, Any] | None]) -> float | None:
    """Decades between the least and the greatest of the best rates; None while one is unknown."""
    known = [math.log10(row["rate"]) for row in rows if row is not None]
    return max(known) - min(known) if known and len(known) == len(rows) else None


def verdict(kinds: list[dict[str, Any]], protocol: Transfer) -> list[Claim]:
    """The claims with what was measured: `kept` is None while something is missing, or a best rate is at the edge of
    those tried."""
    table = {row["kind"]: row for row in kinds}
    times = f"{protocol.sizes[-1] // protocol.sizes[0]} times the {protocol.path.partition('.')[2]}"
    claims = []
    for kind in protocol.kinds:
        row = table[kind]
        still = kind != "sp"
        most = f"moves at most {STILL:g} decade" if still else f"moves {MOVES:g} decade or more"
        moved = row["drift"]
        known = moved is not None and row["interior"]
        seeds = [value for value in row["drift_of_seeds"] if value is not None]
        kept = (moved <= STILL + ROUNDING if still else moved >= MOVES - ROUNDING) if known else None
        ends = (min(seeds), max(seeds)) if len(seeds) > 1 else None
        claims.append(Claim(f"{row['label']}: over {times} the best weight rate {most}", moved, kept, ends))
    return claims


WIDTHS = Transfer("network.width", (16, 32, 64, 128, 256), {"network.depth": 9})
DEPTHS = Transfer("network.depth", (5, 9, 17, 33, 65, 129), {"network.width": 32})
SOURCE = "μPC (arXiv 2505.13124), figures 1 and 5"
STUDIES = {
    "transfer-width": Study(
        "Rates across widths",
        "whether the best weight rate stays where it is as networks get wider",
        SOURCE,
        WIDTHS,
        WIDTHS._replace(sizes=(16, 64, 256), seeds=(0,), steps=(0.16,), every=2),
        report,
    ),
    "transfer-depth": Study(
        "Rates across depths",
        "whether the best weight rate stays where it is as networks get deeper",
        SOURCE,
        DEPTHS,
        DEPTHS._replace(sizes=(5, 17, 65), seeds=(0,), steps=(0.16,), every=2),
        report,
    ),
}
