"""When predictive coding becomes backpropagation: how the gradients of wide and deep linear networks compare.

Under μPC S = I + O(L/N), so that the weight gradients at the equilibrium turn into those of the loss (theory.md 4.3):
loss / F* - 1 falls as L/N, and 1 - cos as its square.
"""

from itertools import product
from typing import Any

import jax
import numpy as np
from scipy.stats import linregress
from scipy.stats import t as student

from pcviz.data import load
from pcviz.experiment import facts_of
from pcviz.frames import Value
from pcviz.instruments.reproduce.backprop_options import ALIKE, SLOPE, SLOPE_OFF, WIDE, WIDEST, Backprop, Pair
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build, linear, optimisers
from pcviz.pcn.feedforward import evaluate
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.learning import method_of, numbers_of
from pcviz.pcn.network import replaced, stacked_weights
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.stacks import unstack
from pcviz.probes.alignment import backprop_gradients, compare


@compiled()
def _gradients(network: Network, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    """The weight gradients at the equilibrium, by stage."""
    at = linear.equilibrium(network, x, y)
    return weight_gradient(network, x, at.activities, at.errors)


@compiled("optimiser")
def _stepped(
    optimiser: str, descent: Descent, network: Network, slots: Any, x: jax.Array, y: jax.Array
) -> tuple[Network, Any]:
    """One weight step along them."""
    weights, slots = optimisers.descend(optimiser, descent, stacked_weights(network), _gradients(network, x, y), slots)
    return replaced(network, weights), slots


def measure(pair: Pair, protocol: Backprop) -> Work[dict[str, Any]]:
    """Compare the gradients of one network; returns an entry of the document's `cells`."""
    experiment = protocol.experiment_of(pair)
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = (jax.device_put(part[: protocol.examples]) for part in (data.x_train, data.y_train))
    network = build(experiment, x.shape[1], y.shape[1])
    descent = numbers_of(experiment, jax.device_put(np.zeros(1, np.int32))).descent
    optimiser = method_of(experiment).optimiser
    slots = optimisers.start(optimiser, stacked_weights(network), descent)
    found, made = [], 0
    for time in protocol.times:
        while made < time:
            network, slots = _stepped(optimiser, descent, network, slots, x, y)
            made += 1
            yield
        found.append({"time": time, **_compared(network, x, y)})
        yield
    return {**pair._asdict(), "times": found}


def _compared(network: Network, x: jax.Array, y: jax.Array) -> dict[str, Any]:
    gradients = [np.asarray(g) for g in unstack(_gradients(network, x, y))]
    seen = compare(gradients, backprop_gradients(network, x, y))
    least = float(linear.least_energy(network, x, y))
    return {
        "total": float(seen.total_cosine),
        "worst": float(np.nanmin(seen.cosine)),
        "quartiles": [float(value) for value in seen.quartile_cosine],
        "ratio": float(evaluate(network, x, y).loss) / least if least > 0 else None,
    }


def document(found: list[dict[str, Any]], protocol: Backprop) -> dict[str, Any]:
    """The document of the networks compared so far: means for every width and depth, the fits, and the verdict."""
    fits = [_fit(data, found, protocol) for data in protocol.data]
    table = _table(found, protocol)
    return document_of("pc-is-bp", found, protocol, table=table, fits=fits, verdict=verdict(found, fits, protocol))


def _table(found: list[dict[str, Any]], protocol: Backprop) -> list[dict[str, Any]]:
    """Means over seeds: a row for every data set, time and depth."""
    return [
        {"data": data, "time": time, "depth": depth, "by_width": _row(data, time, depth, found, protocol)}
        for data, time, depth in product(protocol.data, protocol.times, protocol.depths)
    ]


def _of(found: list[dict[str, Any]], time: int, **wanted: Any) -> list[dict[str, Any]]:
    """What was seen at a time, of the cells that fit."""
    return [
        {**cell, **seen}
        for cell in found
        for seen in cell["times"]
        if seen["time"] == time and all(cell[name] == value for name, value in wanted.items())
    ]


def _row(data: str, time: int, depth: int, found: list[dict[str, Any]], protocol: Backprop) -> dict[str, Any]:
    row = {}
    for width in protocol.widths:
        seen = _of(found, time, data=data, depth=depth, width=width)
        names = ("total", "worst", "ratio")
        row[str(width)] = {name: float(np.mean([one[name] for one in seen])) for name in names} if seen else None
    return row


def _fit(data: str, found: list[dict[str, Any]], protocol: Backprop) -> dict[str, Any]:
    """log(1 - cos) against log(L/N) of fresh networks with at least WIDE units for each layer: slope, its 95 %
    interval, and the factor at L = N; None while there are too few."""
    seen = [one for one in _of(found, 0, data=data) if one["width"] >= WIDE * one["depth"]]
    shares = sorted({one["depth"] / one["width"] for one in seen})
    if len(seen) < 3 or len(shares) < 2:
        return {"data": data, "points": len(seen), "slope": None, "interval": None, "factor": None}
    x = np.log([one["depth"] / one["width"] for one in seen])
    line = linregress(x, np.log([1 - one["total"] for one in seen]))
    half = float(student.ppf(0.975, len(seen) - 2) * line.stderr)
    return {
        "data": data,
        "points": len(seen),
        "slope": float(line.slope),
        "interval": [float(line.slope) - half, float(line.slope) + half],
        "factor": float(np.exp(line.intercept)),
    }


def verdict(found: list[dict[str, Any]], fits: list[dict[str, Any]], protocol: Backprop) -> list[dict[str, Any]]:
    """The claims with what was measured: `kept` is None while something is missing, and where the interval of a slope
    that misses the claim does not exclude it."""
    whole = len(found) == len(protocol.cells)
    claims = []
    for fit in fits:
        law = f"from {WIDE} units for each layer on 1 - cos grows as (L/N)^p, p = {SLOPE:g} ± {SLOPE_OFF:g}"
        kept = _slope_kept(fit) if whole else None
        claims.append(claim(f"{fit['data']}: {law}", fit["slope"], kept, fit["interval"]))
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
                claims.append(claim(f"{fit['data']}: {text} is at least {least:g}", lowest, kept))
    return claims


def _slope_kept(fit: dict[str, Any]) -> bool | None:
    if fit["slope"] is None:
        return None
    low, high = fit["interval"]
    if abs(fit["slope"] - SLOPE) <= SLOPE_OFF:
        return True
    return False if low > SLOPE + SLOPE_OFF or high < SLOPE - SLOPE_OFF else None


def values(found: dict[str, Any], protocol: Backprop) -> dict[str, Value]:
    """The channels of a frame: none yet, the command prints a table."""
    return {}
