"""Gradient descent on the activities with the steps of Barzilai and Borwein (1988), for each example its own.

The step is the inverse of the curvature met on the last one, |dz|² / (dz · dg), dz and dg the changes of activities and
gradient: one of the Hessian's Rayleigh quotients, so that it lies between 1 / lambda_max and 1 / lambda_min where the
energy is quadratic. Energies do not fall at every step, but all in all much faster than with any fixed one (Raydan
1993). Where this curvature is not positive, the previous step size is kept.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.curvature import largest_curvature
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network
from pcviz.pcn.solvers.base import Settings, Solver, behind_front, every_step, settled_behind_front
from pcviz.pcn.stacks import Activities, dot, minus, plus, scaled


@short
class Spectral(NamedTuple):
    """A relaxation under way: `activities`, those and the `gradient` one step `before`, the feedforward `start`, and
    the `step_size` of each example (B,)."""

    activities: Activities
    before: Activities
    gradient: Activities
    start: Activities
    step_size: jax.Array


@compiled()
def _begin(network: Network, x: jax.Array, y: jax.Array, settings: Settings) -> Spectral:
    """At the feedforward point; the first step size is 1 / largest curvature there unless given."""
    start, _ = forward(network, x)
    size = settings.step_size
    size = 1 / largest_curvature(network, x, y, start) if size is None else jnp.full(len(x), size)
    still = jax.tree.map(jnp.zeros_like, start)
    return Spectral(start, start, still, start, jnp.asarray(size, x.dtype))


def _step(
    network: Network, x: jax.Array, y: jax.Array, state: Spectral, correction: Activities, front: Activities
) -> Spectral:
    z = state.activities
    gradient = activity_gradient(network, x, y, z, correction, front).gradient
    dz, dg = plus(z, minus(state.before)), plus(gradient, minus(state.gradient))
    along = dot(dz, dg)
    size = jnp.where(along > 0, dot(dz, dz) / jnp.where(along > 0, along, 1), state.step_size)
    return Spectral(plus(z, minus(scaled(gradient, size))), z, gradient, state.start, size)


SOLVER = Solver(_begin, behind_front(_step), settled_behind_front, every_step)
