"""When predictive coding becomes backpropagation: how the gradients of wide and deep linear networks compare.

Under μPC S = I + O(L/N), so that the weight gradients at the equilibrium turn into those of the loss (theory.md 4.3):
loss / F* - 1 falls as L/N, and 1 - cos as its square.
"""

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pcviz.experiment import Experiment, facts_of, from_paths
from pcviz.experiment.cost import assumed_speed, parameter_count
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.statistics import fit as power_law
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "network.activation": "linear",
    "network.parameterisation": "mupc",
    "network.skips": True,
    "learning.optimiser": "adam",
    "learning.learning_rate": 1e-3,
    "learning.lr_scaling": "width_depth",
    "dtype": "float64",
}
"""What all networks share: the equilibrium of linear ones is known in closed form."""
SLOPE, SLOPE_OFF = 2.0, 0.25
"""1 - cos grows as (L/N) to this power, give or take so much, from WIDE units for each layer on."""
WIDE, WIDEST = 8, 32
ALIKE = {"total": {10: 0.998, 1: 0.99}, "worst": {10: 0.995}}
"""From WIDEST units for each layer on, the cosine of the whole gradient, and of the worst layer, is at least this,
by number of outputs."""
STEP_PASSES = 6.0
"""Arithmetic of a weight step at the equilibrium, in multiples of a forward pass; in float64 at half the speed."""


class Pair(NamedTuple):
    """One network: its data, width, depth and seed."""

    data: str
    width: int
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.data} N={self.width} L={self.depth} seed {self.seed}"


class Backprop(NamedTuple):
    """Networks whose weight gradients at the equilibrium are compared with backpropagation's after `times` weight steps
    along them, all on the first `examples`."""

    widths: tuple[int, ...] = (8, 32, 128, 512)
    depths: tuple[int, ...] = (2, 4, 8, 16, 32)
    data: tuple[str, ...] = ("digits", "regression")
    seeds: tuple[int, ...] = (0, 1, 2)
    times: tuple[int, ...] = (0, 50, 100)
    examples: int = 64

    @property
    def cells(self) -> dict[str, Pair]:
        """The networks by name; all of a seed before the next one, small ones first."""
        pairs = [Pair(d, n, l, s) for s, n, l, d in product(self.seeds, self.widths, self.depths, self.data)]
        return {pair.name: pair for pair in pairs}

    def experiment_of(self, pair: Pair) -> Experiment:
        """The training of one network."""
        own = {"network.width": pair.width, "network.depth": pair.depth, "data.name": pair.data, "seed": pair.seed}
        batch = min(self.examples, facts_of(pair.data).train_size)
        return from_paths({**SET_UP, **own, "learning.batch_size": batch})

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds; the first of a shape compiles for all its seeds."""
        found: Parts = {}
        for name, pair in self.cells.items():
            experiment = self.experiment_of(pair)
            forward = 2.0 * self.examples * parameter_count(experiment)
            seconds = self.times[-1] * (1e-3 + 2 * STEP_PASSES * forward / assumed_speed(pair.width))
            found[name] = 0.05 + PAIRED * seconds + (2 * PROGRAM_SECONDS if pair.seed == self.seeds[0] else 0.0)
        return found


def report(found: Cells, protocol: Backprop) -> Report:
    """Means for every width and depth, the fits, and the verdict."""
    fits = [_fit(data, found, protocol) for data in protocol.data]
    table = _table(found, protocol)
    how = (
        f"linear, μPC, skips, closed form, float64, {protocol.examples} examples at most, Adam along the gradients at "
        f"the equilibrium, {len(protocol.seeds)} seed(s)"
    )
    laws = [
        f"{fit['data']}: 1 - cos = {fit['factor']:.2g} (L/N)^{fit['slope']:.2f}, {fit['points']} networks"
        for fit in fits
        if fit["slope"] is not None
    ]
    charts = [_chart(data, time, table, protocol) for data in protocol.data for time in protocol.times]
    parts = {"table": table, "fits": fits}
    return Report(charts, verdict(found, fits, protocol), "; ".join([how, *laws]), parts)


def _chart(data: str, time: int, table: list[dict[str, Any]], protocol: Backprop) -> Chart:
    curves = []
    for row in table:
        if (row["data"], row["time"]) == (data, time):
            cells = row["by_width"].values()
            whole, worst = ([math.nan if cell is None else 1 - cell[n] for cell in cells] for n in ("total", "worst"))
            curves.append(Curve(f"L = {row['depth']}", whole, reference=worst))
    return Chart(
        f"1 - cosine with backprop, {data}, t = {time}",
        "width N",
        "1 - cos",
        protocol.widths,
        curves,
        "Dots: the whole gradient, means over seeds; open circles: the layer that differs most. Predicted is a slope "
        "of -2 at all depths, once there are some 8 units for each layer.",
        log_x=True,
        log_y=True,
        reference="worst layer",
    )


def _table(found: Cells, protocol: Backprop) -> list[dict[str, Any]]:
    """Means over seeds: a row for every data set, time and depth."""
    return [
        {"data": data, "time": time, "depth": depth, "by_width": _row(data, time, depth, found, protocol)}
        for data, time, depth in product(protocol.data, protocol.times, protocol.depths)
    ]


def _of(found: Cells, time: int, **wanted: Any) -> list[dict[str, Any]]:
    """What was seen at a time, of the cells that fit."""
    return [
        {**cell, **seen}
        for cell in found
        for seen in cell["times"]
        if seen["time"] == time and all(cell[name] == value for name, value in wanted.items())
    ]


def _row(data: str, time: int, depth: int, found: Cells, protocol: Backprop) -> dict[str, Any]:
    row = {}
    for width in protocol.widths:
        seen = _of(found, time, data=data, depth=depth, width=width)
        names = ("total", "worst", "ratio")
        row[str(width)] = {name: float(np.mean([one[name] for one in seen])) for name in names} if seen else None
    return row


def _fit(data: str, found: Cells, protocol: Backprop) -> dict[str, Any]:
    """log(1 - cos) against log(L/N) of fresh networks with at least WIDE units for each layer: slope, its 95 %
    interval, and the factor at L = N; None while there are too few."""
    seen = [one for one in _of(found, 0, data=data) if one["width"] >= WIDE * one["depth"]]
    if len(seen) < 3 or len({one["depth"] / one["width"] for one in seen}) < 2:
        return {"data": data, "points": len(seen), "slope": None, "interval": None, "factor": None}
    shares, misses = [one["depth"] / one["width"] for one in seen], [1 - one["total"] for one in seen]
    law = power_law(shares, misses, [0] * len(seen))
    assert law is not None and law.interval is not None
    factor = math.exp(np.log(misses).mean() - law.value * np.log(shares).mean())
    return {
        "data": data,
        "points": len(seen),
        "slope": law.value,
        "interval": list(law.interval),
        "factor": factor,
    }


def verdict(found: Cells, fits: list[dict[str, Any]], protocol: Backprop) -> list[Claim]:
    """The claims with what was measured: `kept` is None while something is missing, and where the interval of a slope
    that misses the claim does not exclude it."""
    whole = len(found) == len(protocol.cells)
    claims = []
    for fit in fits:
        law = f"from {WIDE} units for each layer on 1 - cos grows as (L/N)^p, p = {SLOPE:g} ± {SLOPE_OFF:g}"
        kept = _slope_kept(fit) if whole else None
        claims.append(Claim(f"{fit['data']}: {law}", fit["slope"], kept, fit["interval"] and tuple(fit["interval"])))
        outputs = 10 if facts_of(fit["data"]).output_dim > 1 else 1
        for what, words in (("total", "the whole gradient"), ("worst", "the worst layer")):
            least = ALIKE[what].get(outputs)
            seen = [
                row["by_width"][str(width)][what]
                for row in _table(found, protocol)
                for width in protocol.widths
                if row["data"] == fit["data"] and width >= WIDEST * row["depth"] and row["by_width"][str(width)]
            ]
            if least is not None:
                text = f"from {WIDEST} units for each layer on, at every time, the cosine of {words} with backprop's"
                lowest = min(seen, default=None)
                kept = lowest >= least if whole and lowest is not None else None
                claims.append(Claim(f"{fit['data']}: {text} is at least {least:g}", lowest, kept))
    return claims


def _slope_kept(fit: dict[str, Any]) -> bool | None:
    if fit["slope"] is None:
        return None
    low, high = fit["interval"]
    if abs(fit["slope"] - SLOPE) <= SLOPE_OFF:
        return True
    return False if low > SLOPE + SLOPE_OFF or high < SLOPE - SLOPE_OFF else None


STUDIES = {
    "pc-is-bp": Study(
        "PC becomes backprop",
        "when predictive coding becomes backpropagation, over width and depth",
        "the limits paper (arXiv 2602.07697), figure 1; docs/theory.md 4.3",
        Backprop(),
        Backprop(widths=(8, 32, 128, 256), depths=(2, 4, 8), seeds=(0,), times=(0,)),
        report,
    )
}
