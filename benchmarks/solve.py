"""Running a solver: rows, clock and stopping rules (theory.md 3.4)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.solution import Solution
from pcviz.brief import short
from pcviz.experiment.solvers import SOLVERS
from pcviz.frames import TRACE_ROWS, trace_rows
from pcviz.pcn import linear
from pcviz.pcn.batch import as_batch
from pcviz.pcn.coordinates import is_kinked
from pcviz.pcn.energy import layer_energies, layer_rms
from pcviz.pcn.messages import output_signal, received
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.stacks import Activities, unstack
from pcviz.pcn.trajectory import Trajectory

Stop = Literal["steps", "gradient", "energy"]


@short
class Sizes(NamedTuple):
    """The sizes of things in a state, float64: energies E_1 … E_L (L,); for every hidden layer (H,) the rms of the
    energy's gradient (per example), of the activities, of their change since an earlier state, and of the errors;
    `gradient` and `activity` are over all layers."""

    energies: jax.Array
    gradient_rms: jax.Array
    activity_rms: jax.Array
    update_rms: jax.Array
    error_rms: jax.Array
    gradient: jax.Array
    activity: jax.Array


@jax.jit
def sizes_of(network: Network, x: jax.Array, y: jax.Array, state: Settled, before: Activities) -> Sizes:
    """Measure a state; `before` are the activities of the earlier one.

    At z = 0 of an activation with a kink the gradient is the shortest one-sided derivative: zero where neither side
    descends.
    """
    z, errors = state.activities, state.errors[:-1]
    output, top = output_signal(network, z, y)
    sent = (*(state.signals or state.errors)[:-1], top)

    def gradient(at: Activities) -> Activities:
        return tuple(own - r for own, r in zip(sent, received(network, x, at, sent), strict=False))

    if is_kinked(network):
        gaps = [16 * jnp.finfo(a.dtype).eps * (1 + jnp.abs(e)) for a, e in zip(z, errors, strict=True)]
        beside = [jnp.abs(a) <= gap for a, gap in zip(z, gaps, strict=True)]
        sides = [
            gradient(tuple(jnp.where(b, s * gap, a) for a, gap, b in zip(z, gaps, beside, strict=True)))
            for s in (-1, 1)
        ]
        found = tuple(
            jnp.where(~b, up, jnp.where((up < 0) & (-up >= down), up, jnp.maximum(down, 0)))
            for down, up, b in zip(*sides, beside, strict=True)
        )
    else:
        found = gradient(z)
    by_layer = [
        layer_rms(stacks) for stacks in (found, z, tuple(a - b for a, b in zip(z, before, strict=True)), errors)
    ]
    total = [jnp.sqrt(jnp.mean(jnp.square(values))) for values in by_layer[:2]]
    return Sizes(layer_energies(network, errors, output, y), *by_layer, *total)


def plain_step(name: str) -> float | None:
    """A step size for solvers that do not find their own: 0.3 for those that train, the flow's unit of time."""
    return 0.3 if SOLVERS[name].trains else 1.0 if name == "gradient_flow" else None


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
    chosen = plain_step(name) if step_size is None else step_size
    settings = Settings(None if chosen is None else jnp.asarray(chosen, network.dtype), **numbers)
    last = steps if method.last is None else min(steps, method.last)
    marks = trace_rows(last, last + 1 if rows is None else rows, filled=False).astype(int)
    path = Trajectory(method, network, x, y, settings)
    path.compile()
    seen: list[tuple[Sizes, float, float, float]] = []
    stopped, before = "steps", None
    for at in path.iterates(marks):
        end = at.settled
        found = jax.tree.map(np.asarray, sizes_of(network, x, y, end, before or end.activities))
        seen.append((found, *at.cost, at.seconds))
        if fired := _fired(found, stop, tolerance, equilibrium_energy):
            stopped = fired
            break
        if time_limit is not None and at.seconds > time_limit:
            stopped = "time"
            break
        before = end.activities
    sizes, passes, accepted, seconds = zip(*seen, strict=True)

    def rows_of(key: str) -> np.ndarray:
        return np.stack([getattr(row, key) for row in sizes])

    return Solution(
        solver=name,
        energies=rows_of("energies"),
        steps=marks[: len(seen)],
        update_rms=rows_of("update_rms"),
        gradient_rms=rows_of("gradient_rms"),
        activity_rms=rows_of("activity_rms"),
        error_rms=rows_of("error_rms"),
        passes=np.array(passes),
        seconds=np.array(seconds),
        accepted=np.array(accepted),
        activities=unstack(end.activities),
        errors=unstack(end.errors),
        stopped_by=stopped,
        tolerance=tolerance,
        unreached=unreached(sizes[-1].error_rms, sizes[-1].gradient_rms),
        equilibrium_energy=equilibrium_energy,
        settled=end._replace(errors=end.signals or end.errors, energies=jnp.asarray(sizes[-1].energies)),
    )


def unreached(error_rms: np.ndarray, gradient_rms: np.ndarray) -> int:
    """How many of the lowest layers have errors of exactly zero because no signal has arrived.

    The uppermost of them feels the front above it: its gradient is not zero. Where it is, nothing is on its way, as for
    targets that the network already predicts. Both (H,).
    """
    quiet = int(np.argmax(error_rms != 0)) if np.any(error_rms != 0) else len(error_rms)
    return quiet if quiet and gradient_rms[quiet - 1] > 0 else 0


def _fired(found: Sizes, stop: Stop, tolerance: float, equilibrium_energy: float | None) -> str | None:
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
        linear.layer_maps(network)
