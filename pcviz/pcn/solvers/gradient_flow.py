"""Inference in continuous time: dz/dt = -gradient of each example's energy, integrated by diffrax (theory.md 3.3).

Time is per example: one unit is what gradient descent covers in 1 / step_size steps, whatever the batch size. jpc's
flow follows the batch mean, so that its time is B times longer. Explicit methods are stable for steps below 2 /
lambda_max (Euler, Heun) or about 3.3 / lambda_max (Tsit5) of the activity Hessian; error control keeps them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from pcviz.brief import short
from pcviz.pcn.energy import layer_energies
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, errors_of
from pcviz.pcn.network import Network
from pcviz.pcn.solvers.base import Integer, Settings, Solver, settled_at
from pcviz.pcn.stacks import Activities, unstack

METHODS = {"euler": diffrax.Euler, "heun": diffrax.Heun, "tsit5": diffrax.Tsit5}
EVALUATIONS = {"euler": 1, "heun": 2, "tsit5": 6}
"""Gradient evaluations of a step; tsit5's seventh is the first of the step that follows."""

MAX_STEPS = 1_000_000


@dataclass(frozen=True)
@short
class Flow:
    """`energies` (R, L) at the `times` (R,), per example; activities [z_1 … z_H] and errors [e_1 … e_H] at the last
    one, each (B, N); integration `steps` (rejected ones included) and gradient `evaluations`."""

    times: np.ndarray
    energies: np.ndarray
    activities: list[jax.Array]
    errors: list[jax.Array]
    steps: int
    evaluations: int


@short
class Leg(NamedTuple):
    """Where a stretch of the flow ends: activities and the number of integration steps."""

    activities: Activities
    steps: jax.Array
    energies: jax.Array


def gradient_flow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    *,
    times: ArrayLike,
    method: str = "heun",
    step_size: float | None = None,
    rtol: float = 1e-3,
    atol: float = 1e-3,
) -> Flow:
    """Follow the flow from the feedforward point at time 0 and record energies at `times` (increasing, ≥ 0).

    x (B, D) and y (B, K) are clamped. `method`: euler, heun or tsit5. With a `step_size` steps are constant; without,
    error control (PID, `rtol`, `atol`) chooses them; euler needs one. Raises ValueError for times or methods that do
    not fit, RuntimeError from diffrax if a million steps do not suffice.
    """
    if method not in METHODS:
        raise ValueError(f"method: {method!r} is unknown (allowed: {', '.join(METHODS)})")
    if method == "euler" and step_size is None:
        raise ValueError("step_size: euler has no error control and needs one")
    times = np.asarray(times, np.float64)
    if times.ndim != 1 or not len(times) or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise ValueError("times: a list of increasing numbers from 0 on is needed")
    x, y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
    start = _start(network, x)
    if times[-1] == 0:
        leg = Leg(start, jnp.zeros((), int), jnp.asarray(_energies(network, x, y, start))[None])
    else:
        fixed = step_size is not None
        leg = _follow(network, x, y, start, (0.0, times), (step_size or 0.0, rtol, atol), method, fixed)
    steps = int(leg.steps)
    errors = _errors(network, x, leg.activities)
    return Flow(
        times, np.asarray(leg.energies), unstack(leg.activities), unstack(errors), steps, steps * EVALUATIONS[method]
    )


_start = jax.jit(lambda network, x: forward(network, x)[0])
_errors = jax.jit(lambda network, x, z: errors_of(network, x, z, None, None))


def _energies(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    local = activity_gradient(network, x, y, z)
    return layer_energies(network, local.errors[:-1], local.output, y)


@partial(jax.jit, static_argnames=("method", "fixed"))
def _follow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    z: Activities,
    span: tuple[float | jax.Array, jax.Array],
    rates: tuple[float, float, float],
    method: str,
    fixed: bool,
) -> Leg:
    return follow(network, x, y, z, span, rates, method, fixed)


def follow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    z: Activities,
    span: tuple[float | jax.Array, jax.Array],
    rates: tuple[float | jax.Array, float, float],
    method: str,
    fixed: bool,
) -> Leg:
    """From activities z at time span[0] through the times span[1] (R,); `rates` are step size, rtol and atol.

    `fixed` takes constant steps of the step size; otherwise error control chooses them.
    """
    # Time in the network's format: a float64 time would turn float32 activities into float64.
    first, times, step_size = (jnp.asarray(t, z[0].dtype) for t in (*span, rates[0]))
    _, rtol, atol = rates
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, z, args: tuple(-g for g in activity_gradient(network, x, y, z).gradient)),
        METHODS[method](),
        t0=first,
        t1=times[-1],
        dt0=step_size if fixed else None,
        y0=z,
        stepsize_controller=diffrax.ConstantStepSize() if fixed else diffrax.PIDController(rtol=rtol, atol=atol),
        saveat=diffrax.SaveAt(
            subs=[
                diffrax.SubSaveAt(t1=True),
                diffrax.SubSaveAt(ts=times, fn=lambda t, z, args: _energies(network, x, y, z)),
            ]
        ),
        max_steps=MAX_STEPS,
        adjoint=diffrax.ForwardMode(),
    )
    end, energies = solution.ys
    return Leg(tuple(stack[0] for stack in end), solution.stats["num_steps"], energies)


class _Flowing(NamedTuple):
    activities: Activities
    evaluations: jax.Array


@jax.jit
def _flow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    state: _Flowing,
    first: Integer,
    last: Integer,
    settings: Settings,
) -> _Flowing:
    step_size = settings.step_size
    assert step_size is not None
    start, end = (jnp.asarray(t, jnp.float64) * step_size for t in (first, last))

    def go(state: _Flowing) -> _Flowing:
        leg = follow(network, x, y, state.activities, (start, end[None]), (0.0, 1e-4, 1e-4), "tsit5", False)
        return _Flowing(leg.activities, state.evaluations + EVALUATIONS["tsit5"] * leg.steps)

    return jax.lax.cond(start < end, go, lambda same: same, state)


SOLVER = Solver(
    jax.jit(lambda network, x, y, by: _Flowing(forward(network, x)[0], jnp.zeros((), int))),
    _flow,
    lambda network, x, y, state, step: settled_at(network, y, state.activities, _errors(network, x, state.activities)),
    lambda state, step: (float(state.evaluations), 1.0),
    1.0,
)
