"""Running a solver: rows, clock and stopping rules (theory.md 3.4)."""

from __future__ import annotations

import time
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment.solvers import SOLVERS
from pcviz.frames import TRACE_ROWS
from pcviz.pcn import linear
from pcviz.pcn.batch import as_batch
from pcviz.pcn.equilibrium.solution import Solution
from pcviz.pcn.inference import Settled
from pcviz.pcn.messages import Look, look
from pcviz.pcn.network import Network, unstack
from pcviz.pcn.solvers import Settings, solver_of

Stop = Literal["steps", "gradient", "energy"]
_look = jax.jit(look)


def solve(
    name: str,
    network: Network,
    x: jax.Array | np.ndarray,
    y: jax.Array | np.ndarray,
    *,
    step_size: float | None = None,
    steps: int = 100,
    tolerance: float = 1e-3,
    stop: Stop = "steps",
    equilibrium_energy: float | None = None,
    rows: int | None = TRACE_ROWS,
    time_limit: float | None = None,
    **numbers: Any,
) -> Solution:
    """Relax the activities on the energy from the feedforward point, x (B, D) and y (B, K) clamped.

    `name`: one of `SOLVERS`. At most `steps` steps; rules are tried at recorded rows (`rows` of them at most,
    log-spaced; None records every step): `stop="gradient"` when rms(gradient) ≤ tolerance (1 + rms(activities)), per
    example; `stop="energy"` when F ≤ (1 + tolerance) F*, with the `equilibrium_energy` F* (known for linear
    networks); `time_limit` in seconds of `Solution.seconds`. `numbers`: momentum, curvatures (smallest, largest),
    alpha, rho.

    Raises ValueError for an unknown solver or rule, negative steps or tolerance, a step size that is not positive, an
    energy rule without F*, and linear_exact on a network that is not linear.
    """
    _check(name, network, step_size, steps, tolerance, stop, equilibrium_energy)
    method = solver_of(name)
    x, y = as_batch(network, x, y)
    if stop == "energy" and equilibrium_energy is None:
        equilibrium_energy = float(linear.least_energy(network, x, y))
    chosen = method.default_step if step_size is None else step_size
    settings = Settings(None if chosen is None else jnp.asarray(chosen, network.dtype), **numbers)
    marks = recorded_steps(steps if method.last is None else min(steps, method.last), rows)

    def start() -> Any:
        return method.begin(network, x, y, settings)

    state = start()
    jax.block_until_ready(method.advance(network, x, y, state, 0, 0 if method.last is None else 1, settings))
    began = time.perf_counter()
    state = jax.block_until_ready(start())
    clock = time.perf_counter() - began
    shown = method.reveal(network, x, y, state, 0)
    seen: list[tuple[Look, float, float, float]] = []
    stopped, before = "steps", shown.activities
    for index, mark in enumerate(marks):
        if index:
            began = time.perf_counter()
            state = method.advance(network, x, y, state, int(marks[index - 1]), int(mark), settings)
            jax.block_until_ready(state)
            clock += time.perf_counter() - began
            shown = method.reveal(network, x, y, state, int(mark))
        found = jax.tree.map(np.asarray, _look(network, x, y, *shown, before))
        before = shown.activities
        seen.append((found, *method.cost(state, int(mark)), clock))
        if fired := _fired(found, stop, tolerance, equilibrium_energy):
            stopped = fired
            break
        if time_limit is not None and clock > time_limit:
            stopped = "time"
            break
    looks, passes, accepted, seconds = zip(*seen, strict=True)

    def rows_of(key: str) -> np.ndarray:
        return np.stack([getattr(one, key) for one in looks])

    top = jnp.asarray(looks[-1].output_error)
    learned = shown.errors if shown.signals is None else shown.signals
    return Solution(
        solver=name,
        energies=rows_of("energies"),
        steps=marks[: len(looks)],
        update_rms=rows_of("update_rms"),
        gradient_rms=rows_of("gradient_rms"),
        activity_rms=rows_of("activity_rms"),
        error_rms=rows_of("error_rms"),
        passes=np.array(passes),
        seconds=np.array(seconds),
        accepted=np.array(accepted),
        activities=unstack(shown.activities),
        errors=unstack((*shown.errors, top)),
        stopped_by=stopped,
        tolerance=tolerance,
        unreached=unreached(looks[-1].error_rms, looks[-1].gradient_rms),
        equilibrium_energy=equilibrium_energy,
        settled=Settled(shown.activities, (*learned, top), jnp.asarray(looks[-1].energies)),
    )


def recorded_steps(steps: int, rows: int | None = TRACE_ROWS) -> np.ndarray:
    """Which steps are recorded: all if they are few, else `rows` of them, log-spaced, with the first and the last."""
    if rows is None or steps < rows:
        return np.arange(steps + 1)
    spaced = np.geomspace(1, steps, max(rows - 1, 1)).round().astype(int)
    return np.unique(np.concatenate([[0], spaced, [steps]]))


def unreached(error_rms: np.ndarray, gradient_rms: np.ndarray) -> int:
    """How many of the lowest layers have errors of exactly zero because no signal has arrived.

    The uppermost of them feels the front above it: its gradient is not zero. Where it is, nothing is on its way, as for
    targets that the network already predicts. Both (H,).
    """
    quiet = int(np.argmax(error_rms != 0)) if np.any(error_rms != 0) else len(error_rms)
    return quiet if quiet and gradient_rms[quiet - 1] > 0 else 0


def _fired(found: Look, stop: Stop, tolerance: float, equilibrium_energy: float | None) -> str | None:
    energy = float(found.energies.sum())
    if not np.isfinite(energy):
        return "diverged"
    if stop == "gradient" and found.gradient <= tolerance * (1 + found.activity):
        return "gradient"
    if stop == "energy" and equilibrium_energy is not None and energy <= (1 + tolerance) * equilibrium_energy:
        return "energy"
    return None


def _check(
    name: str,
    network: Network,
    step_size: float | None,
    steps: int,
    tolerance: float,
    stop: str,
    equilibrium_energy: float | None,
) -> None:
    if name not in SOLVERS:
        raise ValueError(f"solver: {name!r} is unknown (allowed: {', '.join(SOLVERS)})")
    if stop not in ("steps", "gradient", "energy"):
        raise ValueError(f"stop: {stop!r} is unknown (allowed: steps, gradient, energy)")
    if steps < 0:
        raise ValueError(f"steps: {steps} is below 0 (allowed: 0 or more)")
    if tolerance < 0:
        raise ValueError(f"tolerance: {tolerance} is below 0 (allowed: 0 or more)")
    if step_size is not None and not step_size > 0:
        raise ValueError(f"step_size: {step_size} is not positive")
    if stop == "energy" and equilibrium_energy is None and not network.has_closed_form:
        raise ValueError("equilibrium_energy: the energy rule needs it, except for linear networks with mse")
    if name == "linear_exact":
        linear.require_closed_form(network)
