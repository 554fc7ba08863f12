"""When predictive coding becomes backpropagation: how the gradients of wide and deep networks compare.

Under μPC S = I + O(L/N), so that the weight gradients at the equilibrium turn into those of the loss (theory.md 4.3):
loss / F* - 1 falls as L/N, and 1 - cos as its square. To first order around the feedforward pass this holds for smooth
activations too, but not for relu, whose units may change sides of the kink. Equilibria are known in closed form for
linear networks and found step by step for others: what is said of these counts only where the search converged.
"""

import math
from itertools import product
from typing import Any

import numpy as np

from pcviz.experiment import facts_of
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.instruments.reproduce.statistics import fit as power_law
from pcviz.instruments.reproduce.studies.backprop_cells import (
    CONVERGED,
    SLOPE,
    WIDE,
    WIDEST,
    Backprop,
    is_converged,
)
from pcviz.instruments.reproduce.studies.backprop_charts import charts, matching
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SLOPE_OFF = 0.25
"""By how much the measured power of L/N may differ from SLOPE."""
ALIKE = {"total": {10: 0.998, 1: 0.99}, "worst": {10: 0.995}}
"""From WIDEST units for each layer on, the cosine of the whole gradient, and of the worst layer, is at least this,
by number of outputs."""


def report(found: Cells, protocol: Backprop) -> Report:
    """Means for every width and depth, the fits, and the verdict."""
    seen = [{**cell, **one} for cell in found for one in cell["times"]]
    converged = [one for one in seen if is_converged(one)]
    fits = [_fit(*kind, converged) for kind in product(protocol.data, protocol.activations)]
    equilibria = [_equilibria(activation, found) for activation in protocol.activations if activation != "linear"]
    how = (
        f"{', '.join(protocol.activations)}; μPC, skips, float64, {protocol.examples} examples at most, Adam along the "
        f"gradients at the equilibrium, {len(protocol.seeds)} seed(s); linear in closed form, others by conjugate "
        f"gradients, converged where the gradient of the energy has a norm below {CONVERGED:g}"
    )
    laws = [
        f"{fit['data']}, {fit['activation']}: 1 - cos = {fit['factor']:.2g} (L/N)^{fit['slope']:.2f}, "
        f"{fit['points']} networks"
        for fit in fits
        if fit["slope"] is not None
    ]
    counts = [_count(each) for each in equilibria if each["networks"]]
    table = _table(seen, protocol)
    parts = {"table": table, "fits": fits, "equilibria": equilibria}
    claims = verdict(seen, fits, table, whole=len(found) == len(protocol.cells))
    return Report(charts(converged, protocol), claims, "; ".join([how, *counts, *laws]), parts)


def _equilibria(activation: str, found: Cells) -> dict[str, Any]:
    """How many networks of an activation converged at all times, the largest gradient left in these, and how many units
    per example rest on a kink in them."""
    networks = [cell["times"] for cell in found if cell["activation"] == activation]
    converged = [times for times in networks if all(map(is_converged, times))]
    seen = [one for times in converged for one in times]
    return {
        "activation": activation,
        "networks": len(networks),
        "converged": len(converged),
        "gradient": max((one["gradient"] for one in seen), default=math.nan),
        "resting": float(np.mean([one["resting"] for one in seen])) if seen else math.nan,
    }


def _count(each: dict[str, Any]) -> str:
    text = f"{each['activation']}: {each['converged']} of {each['networks']} networks converged"
    if ACTIVATIONS[each["activation"]].kinked and each["converged"]:
        text += f", {each['resting']:.2g} units per example at rest on a kink"
    return text


def _table(seen: Cells, protocol: Backprop) -> list[dict[str, Any]]:
    """Means over the seeds that converged: a row for every data set, activation, time and depth."""
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
    """Means over those of the networks that converged, None if there are none."""
    converged = [one for one in networks if is_converged(one)]
    if not converged:
        return None
    means = {name: float(np.mean([one[name] for one in converged])) for name in ("total", "worst", "ratio")}
    quartiles = np.mean([one["quartiles"] for one in converged], axis=0).tolist()
    return {**means, "quartiles": quartiles, "converged": len(converged), "of": len(networks)}


def _fit(data: str, activation: str, converged: Cells) -> dict[str, Any]:
    """log(1 - cos) against log(L/N) of fresh networks with at least WIDE units for each layer: slope, its 95 %
    interval, and the factor, extrapolated to L = N; None while there are too few."""
    seen = _from(WIDE, matching(converged, time=0, data=data, activation=activation))
    own = {"data": data, "activation": activation, "points": len(seen)}
    if len(seen) < 3 or len({one["depth"] / one["width"] for one in seen}) < 2:
        return {**own, "slope": None, "interval": None, "factor": None}
    shares, misses = [one["depth"] / one["width"] for one in seen], [1 - one["total"] for one in seen]
    law = power_law(shares, misses, [0] * len(seen))
    assert law is not None and law.interval is not None
    factor = math.exp(np.log(misses).mean() - law.value * np.log(shares).mean())
    return {**own, "slope": law.value, "interval": list(law.interval), "factor": factor}


def _from(units: int, seen: Cells) -> Cells:
    """Of networks with at least so many units for each layer."""
    return [one for one in seen if one["width"] >= units * one["depth"]]


def verdict(seen: Cells, fits: list[dict[str, Any]], table: list[dict[str, Any]], *, whole: bool) -> list[Claim]:
    """The claims with what was measured: `kept` is None while not the whole protocol is there, where the interval of a
    slope that misses the claim does not exclude it, and where any network that the claim is about did not converge."""
    claims = []
    for fit in fits:
        kind = {"data": fit["data"], "activation": fit["activation"]}
        name, own = ", ".join(kind.values()), matching(seen, **kind)
        law = f"from {WIDE} units for each layer on 1 - cos grows as (L/N)^p, p = {SLOPE:g} ± {SLOPE_OFF:g}"
        known = whole and all(map(is_converged, _from(WIDE, matching(own, time=0))))
        kept = _slope_kept(fit) if known else None
        claims.append(Claim(f"{name}: {law}", fit["slope"], kept, fit["interval"] and tuple(fit["interval"])))
        known = whole and all(map(is_converged, _from(WIDEST, own)))
        outputs = 10 if facts_of(fit["data"]).output_dim > 1 else 1
        for what, words in (("total", "the whole gradient"), ("worst", "the worst layer")):
            least = ALIKE[what].get(outputs)
            if least is not None:
                text = (
                    f"from {WIDEST} units for each layer on, at all times compared, the cosine of {words} with "
                    f"backprop's is at least {least:g}"
                )
                lowest = _lowest(what, matching(table, **kind))
                kept = lowest >= least if known and lowest is not None else None
                claims.append(Claim(f"{name}: {text}", lowest, kept))
    return claims


def _lowest(what: str, rows: Cells) -> float | None:
    """The least mean of networks with at least WIDEST units for each layer."""
    cells = [means for row in rows for width, means in row["by_width"].items() if int(width) >= WIDEST * row["depth"]]
    return min((means[what] for means in cells if means), default=None)


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
