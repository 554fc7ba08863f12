"""What a relaxation shows, in a few plain sentences made from measured numbers."""

import math
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pcviz.experiment import Experiment
from pcviz.experiment.solvers import SOLVERS
from pcviz.instruments.relaxation.options import SIGNAL_STEPS, STATES

AXES = {"steps": "steps", "passes": "gradient evaluations", "ms": "milliseconds"}
"""What solvers can be compared by -> its unit."""
SPREAD = {"steps": 1.0, "passes": 1.0, "ms": 1.5}
"""Times within this ratio are not told apart: each solver was timed only once. Counts are exact."""
OVERFLOW = "The energy is not finite at the start: with these weights the predictions overflow. Nothing can relax."
NOTHING_LOWER = "No solver found less energy than at the start."


@dataclass(frozen=True)
class Finish:
    """How a solver fared: its state, after how many steps it ended (None: it has not begun), and what it had needed, by
    axis, when its energy came within 1 % to stay: at the first such recorded state (`arrival`, empty: never), and at
    the recorded state before (`before`)."""

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
        """Its name as displayed."""
        return SOLVERS[self.solver].label


def finishes(values: Mapping[str, Any], solvers: Sequence[str]) -> list[Finish]:
    """The solvers of a frame of kind "relax", in the order of `solvers`; empty before they are known."""
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
    times, do not tell them apart; empty while one runs, or if none arrived."""
    arrived = sorted((f for f in found if f.arrived), key=lambda f: f.arrival[axis])
    if not arrived or any(f.state in ("waiting", "running") for f in found):
        return []
    least = arrived[0].arrival[axis]
    return [f for f in arrived if f is arrived[0] or f.before[axis] < SPREAD[axis] * least]


Kind = Literal[
    "overflow",
    "diverged",
    "signal",
    "chain",
    "error_based",
    "settled",
    "not_settled",
    "at_rest",
    "diverges",
    "unstable",
    "model_steps",
    "share",
    "rose",
    "nothing_lower",
    "compared",
    "best",
]
"""Kinds of claims, in reading order."""


@dataclass(frozen=True)
class Sentence:
    """One sentence of a reading: the `kind` of its claim, its words with placeholders for its facts, and these facts,
    unrounded. `benchmarks.sentences` checks what is written in a sentence."""

    kind: Kind
    words: str
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The sentence with its facts filled in."""
        return _Places().vformat(self.words, (), self.facts)


def _say(kind: Kind, words: str, **facts: Any) -> Sentence:
    return Sentence(kind, words, facts)


def reading(
    experiment: Experiment, values: Mapping[str, Any], solvers: Sequence[str], axis: str = "passes"
) -> list[str]:
    """`sentences` as text."""
    return [sentence.text for sentence in sentences(experiment, values, solvers, axis)]


def sentences(
    experiment: Experiment, values: Mapping[str, Any], solvers: Sequence[str], axis: str = "passes"
) -> list[Sentence]:
    """Sentences about a frame of kind "relax": how far the signal came, when the energy settled, how near the
    equilibrium is, and which solver needed least on this axis. Measured facts are worded as measured, those of a model
    as the model's, and unknown ones are left out: empty before the first frame."""
    if values.get("diverged_at") == 0:
        return [_say("overflow", OVERFLOW)]
    found = finishes(values, solvers)
    claims = [*_divergence(values), *_signal(experiment, values, found)]
    if found and not any(f.state in ("waiting", "running") for f in found) and not _gained(values):
        return [*claims, _say("nothing_lower", NOTHING_LOWER)]
    return [
        *claims,
        *_compared(experiment, found),
        *_settling(experiment, values, found),
        *(_energy(values) if experiment.relaxes_plainly else []),
        *_recommendation(experiment, found, axis),
    ]


def _gained(values: Mapping[str, Any]) -> bool:
    """Whether some solver found less energy than it began with."""
    excess = values.get("solver_excess")
    return excess is None or bool(np.nanmax(excess[0], initial=0.0) > 0)


def _step(values: Mapping[str, Any]) -> int | None:
    """The inference step of the numbers; frames of earlier versions have only that of the last recorded row."""
    recorded = values.get("trace_steps")
    step = values.get("relaxed_steps", None if recorded is None else recorded[-1])
    return None if step is None else round(step)


def _divergence(values: Mapping[str, Any]) -> list[Sentence]:
    at = values.get("diverged_at")
    if at is None:
        return []
    last = _step(values) or 0
    words = (
        "This relaxation diverged: at step {at:count} its energy was not finite. What follows covers the steps to "
        "{last:count}."
    )
    return [_say("diverged", words, at=at, last=last)]


def _signal(experiment: Experiment, values: Mapping[str, Any], found: Sequence[Finish]) -> list[Sentence]:
    if "layers_with_signal" not in values or (step := _step(values)) is None:
        return []
    layers, reached = experiment.network.depth, round(values["layers_with_signal"])
    expected = values.get("layers_expected")
    facts = {"reached": reached, "layers": layers, "steps": step, "expected": expected}
    if reached == layers:
        words = "All {layers} layers have received a signal after {steps:in_steps}."
    elif expected is None:
        words = "{reached} of {layers} layers have received a signal after {steps:in_steps}."
    else:
        only = "Only " if reached < expected else ""
        words = f"{only}{{reached}} of {{layers}} layers have received a signal after {{steps:in_steps}}"
        words += " ({expected:count} where all layers pass their errors on unchanged)."
    claims = [_say("signal", words, **facts)]
    needed = values.get("signal_steps")
    if reached < layers and needed is not None:
        if not math.isfinite(needed):  # stored frames have no infinity: it comes back as NaN
            words = "In a chain of scalars the first layer needs more than {most:count} steps."
        else:
            words = "In a chain of scalars the first layer needs about {needed:about} steps."
        claims.append(_say("chain", words, needed=needed, most=SIGNAL_STEPS))
        for f in found:
            if f.arrived and (SOLVERS[f.solver].space, SOLVERS[f.solver].rate) == ("errors", "plain"):
                words = "Error-based inference, where no layer waits for another, settled in {steps:count}."
                claims.append(_say("error_based", words, steps=f.arrival["steps"]))
    return claims


def _compared(experiment: Experiment, found: Sequence[Finish]) -> list[Sentence]:
    """What the solvers are compared on, where the experiment's own relaxation is not on the energy."""
    if experiment.relaxes_plainly or not found:
        return []
    return [_say("compared", "Solvers are compared on the energy itself, which this relaxation does not descend.")]


def _settling(experiment: Experiment, values: Mapping[str, Any], found: Sequence[Finish]) -> list[Sentence]:
    """When the experiment's own solver settles: measured from the feedforward start, before that by a model."""
    inference = experiment.inference
    own = next((f for f in found if f.solver == inference.solver), None)
    if own is None or own.state in ("waiting", "running", "failed") or own.ended is None:
        return _by_model(experiment, values)
    start = "" if inference.initial == "feedforward" else " from the feedforward start"
    words = f"Measured{start}: {{label}} at step size {{size:g}} "
    facts: dict[str, Any] = {"label": own.label, "size": inference.step_size}
    if own.arrived:
        words += "settled within 1 % after {steps:about} steps (followed to {last:count})."
        return [_say("settled", words, steps=own.arrival["steps"], last=own.ended, **facts)]
    if own.state == "diverged":
        return [_say("diverges", f"{words}diverged within {{steps:count}} steps.", steps=own.ended, **facts)]
    if own.state == "stalled":
        words += "came to rest after {steps:about} steps, above the lowest energy that was found."
        return [_say("at_rest", words, steps=own.ended, **facts)]
    words += "had not settled within 1 % after {steps:count} steps."
    sentence = _say("not_settled", words, steps=own.ended, **facts)
    refuted = bool(np.max(values.get("predicted_steps_range", np.inf)) <= own.ended)
    return [sentence] if refuted else [sentence, *_by_model(experiment, values)]


def _by_model(experiment: Experiment, values: Mapping[str, Any]) -> list[Sentence]:
    limit, inference = values.get("step_limit"), experiment.inference
    solver = inference.facts
    exact = experiment.network.has_closed_form
    examples = " (of {examples:in_examples} looked at)"
    facts: dict[str, Any] = {"examples": values.get("model_examples", 1), "exact": exact}
    if limit is not None and inference.step_size > limit:
        words = f"The step size {{size:g}} is above {solver.limit} = {{limits:range}}{examples}: {{label}} diverges"
        words += (
            "."
            if exact
            else ("; that holds for the quadratic model of the start, the network itself may stay bounded.")
        )
        limits = values.get("step_limit_range", (limit, limit))
        return [_say("unstable", words, size=inference.step_size, limits=limits, label=solver.label, **facts)]
    steps = values.get("predicted_steps")
    if steps is None:
        return []
    facts |= {"steps": values.get("predicted_steps_range", (steps, steps))}
    if not math.isfinite(steps):
        words = "The quadratic model of the start does not settle within 1 % in any foreseeable number of steps."
        return [_say("model_steps", words, **facts)]
    whose = "The energy is quadratic: it gives" if exact else "The quadratic model of the start gives"
    return [_say("model_steps", f"{whose} {{steps:range}} steps to settle within 1 %{examples}.", **facts)]


def _energy(values: Mapping[str, Any]) -> list[Sentence]:
    first, last, least = (values.get(n) for n in ("initial_energy", "total_energy", "equilibrium_energy"))
    if first is None or last is None or least is None or not first > least:
        return []
    exact = bool(values.get("equilibrium_is_exact"))
    end = "the equilibrium energy {least:.3g}" if exact else "{least:.3g}, the lowest energy that any solver found"
    share = (first - last) / (first - least)
    facts = {"first": first, "last": last, "least": least, "share": share, "exact": exact}
    if share < 0:
        return [_say("rose", f"The energy rose from {{first:.3g}} to {{last:.3g}}, away from {end}.", **facts)]
    words = f"This relaxation went {{share:percent}} % of the way from {{first:.3g}} to {end}."
    return [_say("share", words, **facts)]


def _recommendation(experiment: Experiment, found: Sequence[Finish], axis: str) -> list[Sentence]:
    first = leaders(found, axis)
    if not first:
        return []
    what = {"steps": "Fewest steps", "passes": "Fewest gradient evaluations", "ms": "Least computing time"}[axis]
    words = f"{what} to settle within 1 %: {{names:names}}, {{least:{axis}}}"
    words += " or little more (not told apart)" if first[1:] else ""
    facts: dict[str, Any] = {"axis": axis, "solvers": [f.solver for f in first], "names": [f.label for f in first]}
    facts["least"] = first[0].arrival[axis]
    own = next((f for f in found if f.solver == experiment.inference.solver), None)
    if own is not None and own not in first:
        facts |= {"label": own.label, "own": own.arrival.get(axis)}
        words += f" ({{label}}: {{own:{axis}}})" if own.arrived else " ({label} did not arrive)"
    return [_say("best", f"{words}.", **facts)]


class _Places(string.Formatter):
    """Fills the placeholders of a sentence: `FORMATS` by name, else as `format` does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return FORMATS[format_spec](value) if format_spec in FORMATS else str(format(value, format_spec))


def _amount(number: float) -> str:
    return f"{number:,.3g}" if number < 10 else _count(number)


def _count(number: float) -> str:
    return f"{round(number):,}"


def _of_unit(unit: str) -> Callable[[float], str]:
    return lambda number: f"{_count(number)} {unit}{'' if round(number) == 1 else 's'}"


def _about(number: float) -> str:
    """Two significant digits: 4,137 -> "4,100"."""
    if number < 100:
        return f"{round(number)}"
    return f"{int(float(np.format_float_positional(number, 2, fractional=False, trim='k'))):,}"


def _range(ends: Sequence[float]) -> str:
    """Least and greatest of a model's numbers, or one number if both are written alike."""
    low, high = (float(end) for end in ends)
    shown = [_about(end) if end >= 10 else f"{end:.2g}" for end in (low, high) if not math.isinf(end)]
    if math.isinf(high):
        return f"{shown[0]} and more"
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if 0.01 <= share < 0.99 else f"{100 * share:.3g}"


def _names(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _time(ms: float) -> str:
    if ms < 1:
        return "under 1 ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2g} s"


FORMATS: dict[str, Callable[[Any], str]] = {
    "count": _count,
    "in_steps": _of_unit("step"),
    "in_examples": _of_unit("example"),
    "about": _about,
    "range": _range,
    "percent": _percent,
    "names": _names,
    "steps": _amount,
    "passes": _amount,
    "ms": _time,
}
"""How numbers are written in a sentence."""
