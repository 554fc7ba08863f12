"""What a relaxation shows, in a few plain sentences. Computed from measured numbers, never canned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pcviz.comparison import SOLVERS, STATES
from pcviz.experiment import Experiment


@dataclass(frozen=True)
class Finish:
    """How a solver fared: what became of it, and steps, gradient evaluations and milliseconds to 1 % (None: never)."""

    solver: str
    state: str
    steps: float | None
    passes: float | None
    ms: float | None

    @property
    def arrived(self) -> bool:
        """Whether it came within 1 % of the initial excess, and stayed."""
        return self.steps is not None


def finishes(values: Mapping[str, Any], solvers: Sequence[str]) -> list[Finish]:
    """The solvers of a frame of kind "relax", in the order of `solvers`; none before they are known."""
    if "solver_arrival" not in values or "solver_states" not in values:
        return []
    made = []
    for name, row, state in zip(solvers, values["solver_arrival"], values["solver_states"], strict=True):
        numbers = [None if math.isnan(number) else float(number) for number in row]
        made.append(Finish(name, STATES[int(state)], *numbers))
    return made


def best(found: Sequence[Finish]) -> Finish | None:
    """The solver that measured best: least computing time, then least gradient evaluations."""
    return min((f for f in found if f.arrived), key=lambda f: (f.ms, f.passes), default=None)


def reading(experiment: Experiment, values: Mapping[str, Any], solvers: Sequence[str]) -> list[str]:
    """Sentences about a frame of kind "relax": how far the signal came, whether the step is stable, how near the
    equilibrium is, and which solver measured best. Only what is known is said; empty before the first frame."""
    said = [
        _signal(experiment, values, finishes(values, solvers)),
        _stability(experiment, values),
        _energy(values),
        _recommendation(experiment, finishes(values, solvers)),
    ]
    return [sentence for sentence in said if sentence]


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
            text += " With this step size the first layer would wait longer than can be foreseen"
        else:
            text += f" With this step size the first layer would need about {_about(needed)}"
        error_based = next((f for f in found if f.solver == "error_based" and f.arrived), None)
        if error_based is not None and error_based.steps is not None:
            text += f"; error-based inference reaches all of them at once and settles in {_count(error_based.steps)}"
        text += "."
    return text


def _stability(experiment: Experiment, values: Mapping[str, Any]) -> str:
    limit, size = values.get("step_limit"), experiment.inference.step_size
    if limit is None or experiment.inference.solver != "gradient_descent":
        return ""
    if size > limit:
        return f"The step size {size:g} is above the limit {limit:.3g}: gradient descent diverges here."
    steps = values.get("predicted_steps")
    if steps is None:
        return ""
    long = "longer than can be foreseen" if math.isinf(steps) else f"about {_about(steps)} steps"
    return f"Gradient descent at step size {size:g} (limit {limit:.2g}) takes {long} to settle within 1 %."


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


def _recommendation(experiment: Experiment, found: Sequence[Finish]) -> str:
    running = any(f.state in ("waiting", "running") for f in found)
    winner = best(found)
    if running or winner is None or winner.passes is None or winner.ms is None:
        return ""
    name = SOLVERS[winner.solver].label
    text = f"Best for this network: {name}, {_count(winner.passes)} gradient evaluations in {_time(winner.ms)}"
    own = next((f for f in found if f.solver == experiment.inference.solver), None)
    if own is not None and own is not winner:
        label = SOLVERS[own.solver].label
        if own.arrived and own.ms is not None and own.passes is not None:
            ratio = own.ms / winner.ms
            text += f" ({label}: {_count(own.passes)} in {_time(own.ms)}, {ratio:.2g} times as long)"
        else:
            text += f" ({label} did not arrive)"
    return text + "."


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
