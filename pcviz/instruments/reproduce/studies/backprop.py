"""When predictive coding becomes backpropagation: how the gradients of wide and deep networks compare.

Under μPC S = I + O(L/N), so that the weight gradients at the equilibrium turn into those of the loss (theory.md 4.3):
loss / F* - 1 falls as L/N, and 1 - cos as its square. To first order around the feedforward pass this holds for tanh
and relu too. Equilibria are known in closed form for linear networks and found step by step for others: what is said
of these counts only where next to no gradient of the energy is left.
"""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from pcviz.experiment import facts_of
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import curve_of
from pcviz.instruments.reproduce.statistics import fit as power_law
from pcviz.instruments.reproduce.statistics import mean
from pcviz.instruments.reproduce.studies.backprop_cells import WIDE, WIDEST, Backprop
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

Value: TypeAlias = Callable[[dict[str, Any]], float]
"""Of what was seen of a network."""

TOLD = 1e-6
"""An equilibrium is told where the steepest descent of no example's energy, in the activities, has a larger norm."""
LEAST_SEEDS = 3
"""Seeds that must be told before anything is claimed of networks that are not linear."""
SLOPE, SLOPE_OFF = 2.0, 0.25
"""1 - cos grows as (L/N) to this power, give or take so much, from WIDE units for each layer on."""
ALIKE = {"total": {10: 0.998, 1: 0.99}, "worst": {10: 0.995}}
"""From WIDEST units for each layer on, the cosine of the whole gradient, and of the worst layer, is at least this,
by number of outputs."""
QUARTERS = ("first", "second", "third", "last")


def report(found: Cells, protocol: Backprop) -> Report:
    """Means for every width and depth, the fits, and the verdict."""
    seen = [{**cell, **one} for cell in found for one in cell["times"]]
    told = [one for one in seen if _is_told(one)]
    kinds = list(product(protocol.data, protocol.activations))
    fits = [_fit(*kind, told) for kind in kinds]
    equilibria = [_equilibria(activation, found) for activation in protocol.activations if activation != "linear"]
    how = (
        f"{', '.join(protocol.activations)}; μPC, skips, float64, {protocol.examples} examples at most, Adam along the "
        f"gradients at the equilibrium, {len(protocol.seeds)} seed(s); linear in closed form, others by conjugate "
        f"gradients, told where less than {TOLD:g} of the energy's gradient is left"
    )
    counts = [
        f"{each['activation']}: {each['told']} of {each['networks']} networks told, {each['resting']:.2g} units of an "
        "example at rest on a kink"
        for each in equilibria
    ]
    laws = [
        f"{_name(fit['data'], fit['activation'])}: 1 - cos = {fit['factor']:.2g} (L/N)^{fit['slope']:.2f}, "
        f"{fit['points']} networks"
        for fit in fits
        if fit["slope"] is not None
    ]
    table = _table(seen, protocol)
    parts = {"table": table, "fits": fits, "equilibria": equilibria}
    said = verdict(found, fits, table, protocol)
    return Report(_charts(told, kinds, protocol), said, "; ".join([how, *counts, *laws]), parts)


def _is_told(one: dict[str, Any]) -> bool:
    return one["gradient"] is None or one["gradient"] < TOLD


def _name(data: str, activation: str) -> str:
    return data if activation == "linear" else f"{data}, {activation}"


def _of(seen: Cells, **wanted: Any) -> Cells:
    """What was seen of the networks and times that fit."""
    return [one for one in seen if all(one[name] == value for name, value in wanted.items())]


def _equilibria(activation: str, found: Cells) -> dict[str, Any]:
    """How many networks of an activation were told at all times, the largest gradient left in these, and how many units
    of an example rest on a kink in them, on average."""
    networks = [cell["times"] for cell in found if cell["activation"] == activation]
    told = [times for times in networks if all(map(_is_told, times))]
    seen = [one for times in told for one in times]
    return {
        "activation": activation,
        "networks": len(networks),
        "told": len(told),
        "gradient": max((one["gradient"] for one in seen), default=math.nan),
        "resting": float(np.mean([one["resting"] for one in seen])) if seen else math.nan,
    }


def _charts(told: Cells, kinds: list[tuple[str, str]], protocol: Backprop) -> list[Chart]:
    data, widths, deepest = protocol.data[0], protocol.widths, max(protocol.depths)
    start = _of(told, time=protocol.times[0])
    shares = sorted({width / depth for width, depth in product(widths, protocol.depths)})
    lasting = [one for one in told if one["followed"] and all(map(_is_told, one["times"]))]
    wide = [one for one in lasting if one["width"] >= WIDEST * one["depth"]]

    def drawn(title: str, x: str, places: Any, curves: list[Curve], help: str, **more: Any) -> Chart:
        return Chart(title, x, "1 - cos", places, curves, help, **{"log_x": True, "log_y": True, **more})

    def of_width(name: str, seen: Cells, value: Value, reference: list[float] | None = None) -> Curve:
        return _curve(name, seen, widths, lambda one: one["width"], value, reference)

    per_layer = [
        _curve(
            _name(*kind),
            _of(start, data=kind[0], activation=kind[1]),
            shares,
            lambda one: one["width"] / one["depth"],
            lambda one: 1 - one["total"],
            [share**-SLOPE for share in shares] if kind == kinds[0] else None,
        )
        for kind in kinds
    ]
    first = _of(start, data=data, activation=protocol.activations[0])
    by_depth = [of_width(f"L = {l}", _of(first, depth=l), lambda one: 1 - one["total"]) for l in protocol.depths]
    excess = [
        of_width(f"L = {l}", _of(first, depth=l), lambda one: one["ratio"] - 1, [_excess(n, l) for n in widths])
        for l in protocol.depths
    ]
    by_time = [
        _curve(
            _name(*kind),
            _of(wide, data=kind[0], activation=kind[1]),
            protocol.times,
            lambda one: one["time"],
            lambda one: 1 - one["total"],
        )
        for kind in kinds
    ]
    of = f"{data}, {protocol.activations[0]}, t = {protocol.times[0]}"
    charts = [
        drawn(
            "1 - cosine with backprop", "units for each layer, N/L", shares, per_layer,
            f"The whole gradient at t = {protocol.times[0]}, all networks with so many units for each layer. Open "
            "circles: (L/N)², the predicted slope.", reference="(L/N)²",
        ),
        drawn(
            f"1 - cosine, {of}", "width N", widths, by_depth,
            f"The whole gradient. Predicted is a slope of -2 at all depths, from some {WIDE} units for each layer on.",
        ),
        drawn(
            "1 - cosine while weights learn", "weight step t", protocol.times, by_time,
            f"The whole gradient, networks with {WIDEST} units for each layer or more that are followed.", log_x=False,
        ),
    ]  # fmt: skip
    for activation in protocol.activations[:2]:
        seen = _of(start, data=data, activation=activation, depth=deepest)
        curves = [of_width(f"{name} quarter", seen, _miss_of_quarter(at)) for at, name in enumerate(QUARTERS)]
        curves.append(of_width("worst layer", seen, lambda one: 1 - one["worst"]))
        charts.append(
            drawn(
                f"1 - cosine by depth, L = {deepest}, {activation}", "width N", widths, curves,
                f"{data}, t = {protocol.times[0]}. Quarters of the layers, input side first.",
            )
        )  # fmt: skip
    return [
        *charts,
        Chart(
            f"Loss over F*, {of}", "width N", "loss / F* - 1", widths, excess,
            "Predicted is a fall as L/N. Open circles: E[S] - 1 (theory.md 4.3).",
            log_x=True, log_y=True, reference="E[S] - 1",
        ),
    ]  # fmt: skip


def _miss_of_quarter(at: int) -> Value:
    return lambda one: 1 - one["quartiles"][at]


def _excess(width: int, depth: int) -> float:
    return depth / width * ((1 + 1 / depth) ** (depth - 1) - 1)


def _curve(
    name: str,
    seen: Cells,
    places: Sequence[float],
    place: Value,
    value: Value,
    reference: Sequence[float] | None = None,
) -> Curve:
    """Geometric means, with intervals, of what was seen at each of the places."""
    values: dict[float, list[float]] = {at: [] for at in places}
    for one in seen:
        values[place(one)].append(value(one))
    return curve_of(name, [mean(own, log=True) for own in values.values()], reference=reference or ())


def _table(seen: Cells, protocol: Backprop) -> list[dict[str, Any]]:
    """Means over the seeds that were told: a row for every data set, activation, time and depth."""
    groups: dict[tuple[Any, ...], Cells] = {}
    for one in seen:
        at = tuple(one[name] for name in ("data", "activation", "time", "depth", "width"))
        groups.setdefault(at, []).append(one)
    rows = product(protocol.data, protocol.activations, protocol.times, protocol.depths)
    return [
        dict(zip(("data", "activation", "time", "depth"), row, strict=True))
        | {"by_width": {str(width): _means(groups.get((*row, width), [])) for width in protocol.widths}}
        for row in rows
    ]


def _means(networks: Cells) -> dict[str, Any] | None:
    """Means over those of the networks that were told, None if there are none."""
    told = [one for one in networks if _is_told(one)]
    if not told:
        return None
    means = {name: float(np.mean([one[name] for one in told])) for name in ("total", "worst", "ratio")}
    quartiles = np.mean([one["quartiles"] for one in told], axis=0).tolist()
    return {**means, "quartiles": quartiles, "told": len(told), "of": len(networks)}


def _fit(data: str, activation: str, told: Cells) -> dict[str, Any]:
    """log(1 - cos) against log(L/N) of fresh networks with at least WIDE units for each layer: slope, its 95 %
    interval, and the factor at L = N; None while there are too few."""
    seen = [one for one in _of(told, time=0, data=data, activation=activation) if one["width"] >= WIDE * one["depth"]]
    own = {"data": data, "activation": activation, "points": len(seen), "seeds": len({one["seed"] for one in seen})}
    if len(seen) < 3 or len({one["depth"] / one["width"] for one in seen}) < 2:
        return {**own, "slope": None, "interval": None, "factor": None}
    shares, misses = [one["depth"] / one["width"] for one in seen], [1 - one["total"] for one in seen]
    law = power_law(shares, misses, [0] * len(seen))
    assert law is not None and law.interval is not None
    factor = math.exp(np.log(misses).mean() - law.value * np.log(shares).mean())
    return {**own, "slope": law.value, "interval": list(law.interval), "factor": factor}


def verdict(found: Cells, fits: list[dict[str, Any]], table: list[dict[str, Any]], protocol: Backprop) -> list[Claim]:
    """The claims with what was measured: `kept` is None while something is missing, where the interval of a slope that
    misses the claim does not exclude it, and where too few seeds of networks that are not linear were told."""
    whole = len(found) == len(protocol.cells)
    claims = []
    for fit in fits:
        name, seeds = _name(fit["data"], fit["activation"]), 1 if fit["activation"] == "linear" else LEAST_SEEDS
        law = f"from {WIDE} units for each layer on 1 - cos grows as (L/N)^p, p = {SLOPE:g} ± {SLOPE_OFF:g}"
        kept = _slope_kept(fit) if whole and fit["seeds"] >= seeds else None
        claims.append(Claim(f"{name}: {law}", fit["slope"], kept, fit["interval"] and tuple(fit["interval"])))
        outputs = 10 if facts_of(fit["data"]).output_dim > 1 else 1
        wide = [
            row["by_width"][str(width)]
            for row in table
            for width in protocol.widths
            if (row["data"], row["activation"]) == (fit["data"], fit["activation"]) and width >= WIDEST * row["depth"]
        ]
        for what, words in (("total", "the whole gradient"), ("worst", "the worst layer")):
            least = ALIKE[what].get(outputs)
            if least is not None:
                text = f"from {WIDEST} units for each layer on, at every time, the cosine of {words} with backprop's"
                lowest = min((means[what] for means in wide if means and means["told"] >= seeds), default=None)
                kept = lowest >= least if whole and lowest is not None else None
                claims.append(Claim(f"{name}: {text} is at least {least:g}", lowest, kept))
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
        Backprop(widths=(16, 64, 256), depths=(2, 4), data=("digits",), times=(0,)),
        report,
    )
}
