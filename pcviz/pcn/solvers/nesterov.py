"""Nesterov momentum on the activities, its step and momentum from the spectrum of the Hessian (theory.md 4.10).

With extreme curvatures m and M: step 1 / M, momentum (sqrt(M / m) - 1) / (sqrt(M / m) + 1). The recorded states are
those at which gradients are taken.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network
from pcviz.pcn.solvers.base import Settings, Solver, behind_front, every_step, settled_behind_front
from pcviz.pcn.stacks import Activities


@short
class Nesterov(NamedTuple):
    """A relaxation under way: `activities`, their `velocity`, the feedforward `start`, `step_size` and `momentum`."""

    activities: Activities
    velocity: Activities
    start: Activities
    step_size: jax.Array
    momentum: jax.Array


@compiled()
def _begin(network: Network, x: jax.Array, y: jax.Array, settings: Settings) -> Nesterov:
    """At the feedforward point. `curvatures` (smallest, largest) are measured there unless given; `step_size` (per
    example) is 1 / largest unless given."""
    step_size, curvatures = settings.step_size, settings.curvatures
    start, _ = forward(network, x)
    if curvatures is None:
        smallest = jnp.min(smallest_curvature(network, x, y, start))
        largest = jnp.max(largest_curvature(network, x, y, start))
    else:
        smallest, largest = (jnp.asarray(value, x.dtype) for value in curvatures)
    step_size = 1 / largest if step_size is None else step_size
    root = jnp.sqrt(jnp.maximum(step_size * smallest, 0))
    still = jax.tree.map(jnp.zeros_like, start)
    return Nesterov(start, still, start, jnp.asarray(step_size, x.dtype), jnp.asarray((1 - root) / (1 + root), x.dtype))


def _step(
    network: Network, x: jax.Array, y: jax.Array, state: Nesterov, correction: Activities, front: Activities
) -> Nesterov:
    """v <- b v - s g, z <- z + b v - s g."""
    gradient = activity_gradient(network, x, y, state.activities, correction, front).gradient
    pulls = tuple(-state.step_size * g for g in gradient)
    velocity = tuple(state.momentum * v + p for v, p in zip(state.velocity, pulls, strict=True))
    moves = zip(state.activities, velocity, pulls, strict=True)
    z = tuple(a + state.momentum * v + p for a, v, p in moves)
    return state._replace(activities=z, velocity=velocity)


SOLVER = Solver(_begin, behind_front(_step), settled_behind_front, every_step)
