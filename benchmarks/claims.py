"""When a sentence of the Inference page is true: each kind of claim is compared with measurements.

A number of steps is true when the measured one is within a factor of two, "more than" when the measured one is more.
A claim about a model is true when the model says so; how far the model is from the network is reported separately.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measured import (
    FACTOR,
    HORIZON,
    Arrival,
    Measured,
    arrival,
    chain_steps,
    layers_in_a_chain,
    signal_floor,
)
from pcviz.instruments.relaxation.reading import Kind
from pcviz.probes import theory


class Check(NamedTuple):
    """Whether a claim is true, what was measured, and, for a model's number of steps, the steps of the network itself
    as a multiple of it (infinite: more than were run)."""

    true: bool
    measured: str
    ratio: float | None = None


Facts = Mapping[str, Any]


def near(claimed: float, measured: float | None, least: float = 1.0) -> bool:
    """Whether two numbers agree within the factor; below `least` they need not."""
    if measured is None or not math.isfinite(measured):
        return False
    low, high = sorted((max(claimed, least), max(measured, least)))
    return high <= FACTOR * low


def _close(claimed: float, measured: float, tolerance: float = 1e-3) -> bool:
    return bool(abs(claimed - measured) <= tolerance * max(abs(claimed), abs(measured)))


def _diverged(facts: Facts, measured: Measured) -> Check:
    finite = np.isfinite(measured.relaxed_for(int(facts["at"])).energies.sum(1))
    true = bool(finite[: facts["last"] + 1].all() and not finite[int(facts["at"])])
    return Check(true, f"last finite at {np.flatnonzero(finite)[-1]}")


def _overflow(facts: Facts, measured: Measured) -> Check:
    start = measured.relaxed_for(0).energies.sum()
    return Check(not np.isfinite(start), f"energy at the start {start:.3g}")


def _signal(facts: Facts, measured: Measured) -> Check:
    reached = measured.heard(facts["steps"])
    if facts["expected"] is None or reached == measured.experiment.network.depth:
        return Check(reached == facts["reached"], f"{reached} layers")
    chain = layers_in_a_chain(measured, facts["steps"])
    return Check((reached, chain) == (facts["reached"], facts["expected"]), f"{reached} layers, chain {chain}")


def _chain(facts: Facts, measured: Measured) -> Check:
    model = chain_steps(measured, facts["most"])
    above = np.flatnonzero(measured.first_layer > signal_floor(measured.relaxed_for(0).activities[0]))
    if not math.isfinite(facts["needed"]):
        return Check(model is None, f"chain {model}", 1.0 if not len(above) else float(above[0]) / facts["most"])
    ratio = float(above[0]) / facts["needed"] if len(above) else math.inf
    return Check(near(facts["needed"], model), f"chain {model}, network {above[0] if len(above) else 'never'}", ratio)


def _error_based(facts: Facts, measured: Measured) -> Check:
    found = arrival(measured.error_based, measured.least)
    return Check(found.agrees(facts["steps"]), _of(found, measured))


def _settled(facts: Facts, measured: Measured) -> Check:
    found = arrival(measured.long[: int(facts["last"]) + 1], measured.least)
    return Check(found.agrees(facts["steps"]), _of(found, measured))


def _not_settled(facts: Facts, measured: Measured) -> Check:
    found = arrival(measured.long, measured.least)
    return Check(max(found) > facts["steps"], _of(found, measured))


def _of(found: Arrival, measured: Measured) -> str:
    return (
        f"within 1 % at {found.first}, to stay from {found.stays} (least {measured.least:.6g}, page "
        f"{measured.job.lowest:.6g}, start {measured.long[0]:.6g})"
    )


def _at_rest(facts: Facts, measured: Measured) -> Check:
    found, late = arrival(measured.long, measured.least), measured.long[int(facts["steps"]) :]
    moved = (late.max() - late.min()) / (measured.long[0] - measured.least)
    true = math.isinf(found.stays) and moved < 0.01 and bool(late[-1] > measured.job.lowest)
    return Check(true, f"{_of(found, measured)}, moved {moved:.2g} of the way later")


def _diverges(facts: Facts, measured: Measured) -> Check:
    finite = np.isfinite(measured.long[: int(facts["steps"]) + 1])
    return Check(not finite.all(), f"last finite at {np.flatnonzero(finite)[-1]}")


def _unstable(facts: Facts, measured: Measured) -> Check:
    inference = measured.experiment.inference
    most = _in_errors(measured) if inference.solver == "error_based" else measured.curvatures[:, -1]
    momentum = inference.momentum if inference.solver == "momentum" else 0.0
    low, high = 2 * (1 + momentum) / most.max(), 2 * (1 + momentum) / most.min()
    true = _close(facts["limits"][0], low) and _close(facts["limits"][1], high) and facts["size"] > low
    long = measured.long
    grew = not np.isfinite(long).all() or bool(long[-1] > long[0])
    if facts["exact"]:
        true = true and grew
    return Check(true, f"limits {low:.4g} to {high:.4g}, {'grew' if grew else 'stayed'}", 1.0 if grew else math.inf)


def _in_errors(measured: Measured) -> np.ndarray:
    """The greatest curvature in the errors of each example that the model uses."""
    network, x, y = measured.exact
    few, start = measured.model_start
    return theory.error_spectrum(network, x[few], y[few], start).max(1)


def _model_steps(facts: Facts, measured: Measured) -> Check:
    low, high = (float(end) for end in facts["steps"])

    def there(steps: float) -> np.ndarray:
        return measured.model_excess(steps) <= 0.01

    true = low == 0 or bool(there(FACTOR * low).any() and not there(low / FACTOR).any())
    if math.isinf(high):
        true = true and not there(2.0**40).all()
    else:
        true = true and bool(there(FACTOR * high).all() and not there(high / FACTOR).all())
    took = arrival(measured.long, measured.least).stays
    nearest = min(max(took, low), high)
    ratio = 1.0 if took == nearest else took / nearest
    if facts["exact"] and low < HORIZON / FACTOR:
        true = true and 1 / FACTOR <= ratio <= FACTOR
    return Check(true, f"network settled after {took:g}", ratio)


def _share(facts: Facts, measured: Measured) -> Check:
    energies = measured.own.energies.sum(1)
    at = int(measured.job.traced.rows[len(measured.job.traced.energies) - 1])
    first, last, least = energies[0], energies[at], facts["least"]
    share = (first - last) / (first - least)
    true = _close(first, facts["first"]) and abs(share - facts["share"]) < 0.01 * max(1, abs(share))
    if facts["exact"]:
        true = true and abs(least - measured.lowest_in_float64) < 0.001 * (first - least)
    true = true and least - measured.job.lowest < 0.001 * (first - least)
    return Check(true, f"{100 * share:.3g} % from {first:.3g}, lowest known {measured.least:.4g}")


def _nothing_lower(facts: Facts, measured: Measured) -> Check:
    start = measured.long[0]
    found = measured.least
    return Check(start <= found * (1 + 1e-5), f"start {start:.6g}, least {found:.6g}")


def _best(facts: Facts, measured: Measured) -> Check:
    if facts["axis"] == "ms":
        return _least_time(facts, measured)
    column = 0 if facts["axis"] == "steps" else 1
    needed = {name: found[column] for name in measured.job.names if (found := measured.needed(name)) is not None}
    first = needed[facts["solvers"][0]]
    true = first.agrees(facts["least"]) and min(first) <= min(max(found) for found in needed.values())
    if (own := facts.get("own")) is not None:
        true = true and needed[measured.experiment.inference.solver].agrees(own)
    return Check(true, ", ".join(f"{name} {found.first} to {found.stays}" for name, found in needed.items()))


def _compared(facts: Facts, measured: Measured) -> Check:
    return Check(not measured.experiment.relaxes_plainly, "the relaxation of the experiment")


def _least_time(facts: Facts, measured: Measured) -> Check:
    arrivals = [name for name in measured.job.names if np.isfinite(measured.job.arrival(name)[0])]
    best: dict[str, float] = {}
    for _ in range(3):
        for name in arrivals:
            best[name] = min(best.get(name, math.inf), measured.milliseconds(name) or math.inf)
        first = best[facts["solvers"][0]]
        if first <= FACTOR * min(best.values()) and near(facts["least"], first):
            break
    true = first <= FACTOR * min(best.values()) and near(facts["least"], first)
    return Check(true, ", ".join(f"{name} {ms:.3g} ms" for name, ms in best.items()))


CHECKS: dict[Kind, Callable[[Facts, Measured], Check]] = {
    "overflow": _overflow,
    "diverged": _diverged,
    "signal": _signal,
    "chain": _chain,
    "error_based": _error_based,
    "settled": _settled,
    "not_settled": _not_settled,
    "at_rest": _at_rest,
    "diverges": _diverges,
    "unstable": _unstable,
    "model_steps": _model_steps,
    "share": _share,
    "rose": _share,
    "nothing_lower": _nothing_lower,
    "compared": _compared,
    "best": _best,
}
"""Kind of sentence -> its check."""


def _note_limit(facts: Facts, measured: Measured) -> Check:
    """The note of the spectrum: limit, slowest mode and condition number."""
    inference = measured.experiment.inference
    in_errors = inference.solver == "error_based"
    momentum = inference.momentum if inference.solver == "momentum" else 0.0
    most = _in_errors(measured) if in_errors else measured.curvatures[:, -1]
    least = 1.0 if in_errors else measured.curvatures[0, 0]
    slowest = max(_radius(inference.step_size * end, momentum) for end in (least, most[0]))
    found = {"step_limit": 2 * (1 + momentum) / most.max(), "contraction": slowest}
    ends = measured.curvatures[0, [0, -1]]
    found["condition_number"] = ends[1] / ends[0] if ends[0] > 0 else math.inf
    shown = {name: facts[name] for name in found if name in facts}
    true = all(_close(shown[name], number) for name, number in found.items() if name in shown and np.isfinite(number))
    return Check(true, ", ".join(f"{name} {number:.6g}" for name, number in found.items()))


def _radius(rate: float, momentum: float) -> float:
    """The factor by which a step shrinks a mode in the long run."""
    return float(np.abs(np.linalg.eigvals([[1 + momentum - rate, -momentum], [1.0, 0.0]])).max())


def _note_cosine(facts: Facts, measured: Measured) -> Check:
    step = int(facts["trace_steps"][-1])
    cosine, shown = measured.cosine(step), facts["alignment_total"]
    same = abs(shown - cosine) < 1e-3 or (np.isnan(shown) and np.isnan(cosine))
    return Check(bool(same), f"cosine {cosine:.4g} after {step} steps, shown {shown:.4g}")


def _note_front(facts: Facts, measured: Measured) -> Check:
    """The front in the panel's help: energies are exactly 0 until the error arrives."""
    energies = measured.own.energies
    rows, layers = np.indices(energies.shape)
    ahead = layers + 1 < energies.shape[1] - rows
    return Check(bool((energies[ahead] == 0).all()), "energies ahead of the front")


NOTES: dict[str, tuple[str, Callable[[Facts, Measured], Check]]] = {
    "note of the spectrum": ("condition_number", _note_limit),
    "note of the alignment": ("alignment_total", _note_cosine),
    "front of the map": ("front", _note_front),
}
"""Other statements of panels -> the channel that they need, and the check."""
