"""What a relaxation shows, in a few plain sentences. Computed from measured numbers, never canned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pcviz.comparison import SOLVERS, STATES
from pcviz.experiment import Experiment

AXES = {"steps": "steps", "passes": "gradient evaluations", "ms": "milliseconds"}
"""What solvers can be compared by -> its unit."""
SPREAD = {"steps": 1.0, "passes": 1.0, "ms": 1.5}
"""Two times are not told apart below this ratio: one run of each solver was timed. Counts are exact."""
OVERFLOW = "The energy is not finite at the start: with these weights the predictions overflow. Nothing can relax."
NOTHING_LOWER = "No solver found less energy than at the start."


@dataclass(frozen=True)
class Finish:
    """How a solver fared: what became of it, after how many steps it ended (None: it has not begun), and what it had
    needed, by axis, when its energy was within 1 % to stay: at the recorded state where it is so first (`arrival`,
    empty: never), and at the one before (`before`)."""

    solver: str
    state: str
    ended: float | None = None
    arrival: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)

    @property
    def arrived(self) -> bool:
        """Whether it came within 1 % of the initial excess, and stayed."""
        return bool(self.arrival)

    @property
    def label(self) -> str:
        """Its name as a person reads it."""
        return SOLVERS[self.solver].label


def finishes(values: Mapping[str, Any], solvers: Sequence[str]) -> list[Finish]:
    """The solvers of a frame of kind "relax", in the order of `solvers`; none before they are known."""
    if "solver_arrival" not in values or "solver_states" not in values:
        return []
    columns = {axis: np.asarray(values[f"solver_{axis}"]) for axis in AXES}
    made = []
    for place, name in enumerate(solvers):
        state, numbers = STATES[int(values["solver_states"][place])], values["solver_arrival"][place]
        recorded = columns["steps"][:, place]
        recorded = recorded[np.isfinite(recorded)]
        ended = float(recorded[-1]) if len(recorded) else None
        if math.isnan(numbers[0]):
            made.append(Finish(name, state, ended))
            continue
        row = max(0, int(np.searchsorted(recorded, numbers[0])) - 1)
        arrival = {axis: float(number) for axis, number in zip(AXES, numbers, strict=True)}
        made.append(Finish(name, state, ended, arrival, {axis: float(columns[axis][row, place]) for axis in AXES}))
    return made


def leaders(found: Sequence[Finish], axis: str) -> list[Finish]:
    """The solvers that needed least on this axis, best first: more than one where recorded states, or the spread of
    times, do not tell them apart; nobody while one runs, or if none arrived."""
    arrived = sorted((f for f in found if f.arrived), key=lambda f: f.arrival[axis])
    if not arrived or any(f.state in ("waiting", "running") for f in found):
        return []
    least = arrived[0].arrival[axis]
    return [f for f in arrived if f is arrived[0] or f.before[axis] < SPREAD[axis] * least]


def reading(
    experiment: Experiment, values: Mapping[str, Any], solvers: Sequence[str], axis: str = "passes"
) -> list[str]:
    """Sentences about a frame of kind "relax": how far the signal came, when the energy settled, how near the
    equilibrium is, and which solver needed least on this axis. What was measured is said as measured, what follows from
    a model as the model's; only what is known is said: empty before the first frame."""
    if values.get("diverged_at") == 0:
        return [OVERFLOW]
    found = finishes(values, solvers)
    if found and not any(f.state in ("waiting", "running") for f in found) and not _gained(values):
        return [text for text in (_divergence(values), _signal(experiment, values, []), NOTHING_LOWER) if text]
    said = [
        _divergence(values),
        _signal(experiment, values, found),
        _settling(experiment, values, found),
        _energy(values),
        _recommendation(experiment, found, axis),
    ]
    return [sentence for sentence in said if sentence]


def _gained(values: Mapping[str, Any]) -> bool:
    """Whether some solver found less energy than it began with."""
    excess = values.get("solver_excess")
    return excess is None or bool(np.nanmax(excess[0], initial=0.0) > 0)


def _divergence(values: Mapping[str, Any]) -> str:
    at = values.get("diverged_at")
    if at is None:
        return ""
    last = int(values["trace_steps"][-1]) if "trace_steps" in values else 0
    return (
        f"This relaxation diverged: at step {_count(at)} its energy was not finite. What follows is of the steps to "
        f"{_count(last)}."
    )


def _signal(experiment: Experiment, values: Mapping[str, Any], found: Sequence[Finish]) -> str:
    if "layers_with_signal" not in values or "trace_steps" not in values:
        return ""
    layers, heard = experiment.network.depth, round(values["layers_with_signal"])
    steps = int(values["trace_steps"][-1])
    if heard == layers:
        text = f"All {layers} layers have received a signal after {_count(steps)} steps."
    else:
        text = f"Only {heard} of {layers} layers have received a signal after {_count(steps)} steps."
    needed = values.get("signal_steps")
    if heard < layers and needed is not None:
        if math.isinf(needed):
            text += " By a chain of scalars the first layer waits longer than can be foreseen"
        else:
            text += f" By a chain of scalars the first layer needs about {_about(needed)}"
        error_based = next((f for f in found if f.solver == "error_based" and f.arrived), None)
        if error_based is not None:
            settled = _count(error_based.arrival["steps"])
            text += f"; error-based inference reaches all of them at once and settled in {settled}"
        text += "."
    return text


def _settling(experiment: Experiment, values: Mapping[str, Any], found: Sequence[Finish]) -> str:
    """When the experiment's own solver settles: measured from the feedforward start, before that by a model."""
    inference = experiment.inference
    own = next((f for f in found if f.solver == inference.solver), None)
    if own is None or own.state in ("waiting", "running", "failed") or own.ended is None:
        return _by_model(experiment, values)
    start = "" if inference.initial == "feedforward" else " from the feedforward start"
    text = f"Measured{start}: {own.label} at step size {inference.step_size:g} "
    if own.arrived:
        return f"{text}settled within 1 % after {_about(own.arrival['steps'])} steps."
    if own.state == "diverged":
        return f"{text}diverged within {_count(own.ended)} steps."
    if own.state == "stalled":
        return f"{text}came to rest after {_about(own.ended)} steps, above the lowest energy that was found."
    model = _by_model(experiment, values)
    return f"{text}had not settled within 1 % after {_count(own.ended)} steps." + (f" {model}" if model else "")


def _by_model(experiment: Experiment, values: Mapping[str, Any]) -> str:
    limit, inference = values.get("step_limit"), experiment.inference
    size, facts = inference.step_size, SOLVERS[inference.solver]
    exact = experiment.network.has_closed_form
    of_examples = f" (of {_count(values.get('model_examples', 1))} examples looked at)"
    if limit is not None and size > limit:
        text = f"The step size {size:g} is above {facts.limit} = {_range(values.get('step_limit_range'), limit)}"
        end = "" if exact else "; that holds for the quadratic model of the start, the network itself may stay bounded"
        return f"{text}{of_examples}: {facts.label} diverges{end}."
    steps = values.get("predicted_steps")
    if steps is None:
        return ""
    if math.isinf(steps):
        return "The quadratic model of the start does not settle within 1 % in any foreseeable number of steps."
    about = _range(values.get("predicted_steps_range"), steps)
    whose = "The energy is quadratic: it gives" if exact else "The quadratic model of the start gives"
    return f"{whose} {about} steps to settle within 1 %{of_examples}."


def _range(ends: Any, middle: float) -> str:
    """Least and greatest of a model's numbers, or the one that there is."""
    low, high = (middle, middle) if ends is None else (float(end) for end in ends)
    shown = [_about(end) if end >= 10 else f"{end:.2g}" for end in (low, high)]
    if math.isinf(high):
        return f"{shown[0]} and more"
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _energy(values: Mapping[str, Any]) -> str:
    first, last, least = (values.get(n) for n in ("initial_energy", "total_energy", "equilibrium_energy"))
    if first is None or last is None or least is None or not first > least:
        return ""
    share = 100 * (first - last) / (first - least)
    exact = bool(values.get("equilibrium_is_exact"))
    end = f"the equilibrium energy {least:.3g}" if exact else f"{least:.3g}, the lowest energy that any solver found"
    if share < 0:
        return f"The energy rose from {first:.3g} to {last:.3g}, away from {end}."
    shown = f"{share:.0f}" if 1 <= share < 99 else f"{share:.3g}"
    return f"This relaxation went {shown} % of the way from {first:.3g} to {end}."


def _recommendation(experiment: Experiment, found: Sequence[Finish], axis: str) -> str:
    first = leaders(found, axis)
    if not first:
        return ""
    least = first[0].arrival[axis]
    names = [f.label for f in first]
    what = {"steps": "Fewest steps", "passes": "Fewest gradient evaluations", "ms": "Least computing time"}[axis]
    text = f"{what} to settle within 1 %: {' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}, "
    text += _amount(least, axis) + (" or little more (not told apart)" if names[1:] else "")
    own = next((f for f in found if f.solver == experiment.inference.solver), None)
    if own is not None and own not in first:
        if own.arrived:
            text += f" ({own.label}: {_amount(own.arrival[axis], axis)})"
        else:
            text += f" ({own.label} did not arrive)"
    return text + "."


def _amount(number: float, axis: str) -> str:
    return _time(number) if axis == "ms" else f"{number:,.3g}" if number < 10 else _count(number)


def _count(number: float) -> str:
    return f"{round(number):,}"


def _about(number: float) -> str:
    """Two significant digits: 4,137 -> "4,100"."""
    if number < 100:
        return f"{round(number)}"
    return f"{int(float(np.format_float_positional(number, 2, fractional=False, trim='k'))):,}"


def _time(ms: float) -> str:
    if ms < 1:
        return "under 1 ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2g} s"
