"""Inference in continuous time: dz/dt = -gradient of each example's energy, integrated by diffrax (theory.md 3.3).

Time is per example: one unit is what gradient descent covers in 1 / step_size steps, whatever the batch size. jpc's
flow follows the batch mean, so that its time is B times longer. Tsit5 is stable for steps below about 3.3 / lambda_max
of the activity Hessian; error control keeps them there.
"""

from typing import NamedTuple

import diffrax
import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import Program, compiled
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, errors_of
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers.base import Integer, Settings, Solver, settled_at
from pcviz.pcn.stacks import Activities, minus

EVALUATIONS = 6
"""Gradient evaluations of a step of Tsit5; its seventh is the first of the step that follows."""
TOLERANCE = 1e-4
MAX_STEPS = 1_000_000


@short
class Flow(NamedTuple):
    """A flow under way: activities and gradient `evaluations` so far."""

    activities: Activities
    evaluations: jax.Array


@compiled()
def _advance(
    network: Network, x: jax.Array, y: jax.Array, state: Flow, first: Integer, last: Integer, settings: Settings
) -> Flow:
    """From time first · step_size to last · step_size. Raises RuntimeError if a million steps do not suffice."""
    size = settings.step_size
    assert size is not None

    def go(state: Flow) -> Flow:
        # Time in the network's format: a float64 time would turn float32 activities into float64.
        start, end = (jnp.asarray(jnp.asarray(t, jnp.float64) * size, x.dtype) for t in (first, last))
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, z, args: minus(activity_gradient(network, x, y, z).gradient)),
            diffrax.Tsit5(),
            t0=start,
            t1=end,
            dt0=None,
            y0=state.activities,
            stepsize_controller=diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE),
            max_steps=MAX_STEPS,
            adjoint=diffrax.ForwardMode(),
        )
        z = tuple(stack[0] for stack in solution.ys)
        return Flow(z, state.evaluations + EVALUATIONS * solution.stats["num_steps"])

    return jax.lax.cond(jnp.asarray(first) < last, go, lambda same: same, state)


@compiled()
def _settle(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> Settled:
    return settled_at(network, y, z, errors_of(network, x, z, None, None))


SOLVER = Solver(
    Program(lambda network, x, y, by: Flow(forward(network, x)[0], jnp.zeros((), int))),
    _advance,
    lambda network, x, y, state, step: _settle(network, x, y, state.activities),
    lambda state, step: (float(state.evaluations), 1.0),
)
