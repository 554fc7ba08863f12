"""The energy's minimum in the activities, to the last digit: a solver, then Newton steps with the exact Hessian.

Derivatives of F*(W) = min_z F(W, z) are those of F at the minimum (`pcviz.probes.curvature`), whose own error enters
them undiminished: the accuracy of training's relaxations is not enough. Float64 throughout.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics.blocktridiagonal import Blocks, factorised, solved
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import linear
from pcviz.pcn.coordinates import is_kinked
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network, as_float64
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.stacks import Activities, choose, flat, unstack
from pcviz.pcn.trajectory import Trajectory
from pcviz.probes.hessian import as_batch, hessian_blocks

Array = np.ndarray | jax.Array

CHUNK, MOST_CHUNKS = 10, 60
"""Steps of the solver between two tests of convergence, and the most such chunks of steps."""
NEAR = 1e-8
"""Newton's method takes over when the worst example's gradient has fallen to this share."""
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""A gradient below this share of the activities is rounding."""
NEWTON_STEPS = 4


@short
class Minimum(NamedTuple):
    """`activities` at an energy minimum; `factors` of the examples' activity Hessians there, None unless all are
    positive definite; `free` (B, H, N): which activities may move, False for those at rest on the kink of their
    activation; `gradient_rms`: root mean square of the per-example energy gradient that is left."""

    activities: Activities
    factors: Blocks | None
    free: jax.Array
    gradient_rms: float


def descend(network: Network, x: Array, y: Array, *, polish: bool = True) -> Work[Minimum]:
    """The energy minimum above the feedforward point for x (B, D), y (B, K): Gauss-Newton and conjugate gradients in
    error coordinates, then Newton (without `polish`: neither Newton nor factors); the closed form where there is one.
    A generator that pauses on the way."""
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    if network.has_closed_form:
        return _finished(network, x, y, linear.equilibrium(network, x, y).activities, polish)
    begun = left = np.inf
    path = Trajectory(solver_of("gauss_newton"), network, x, y, Settings(None))
    for at in path.iterates(range(0, CHUNK * MOST_CHUNKS + 1, CHUNK)):
        z = at.settled.activities
        slope = activity_slope(network, x, y, z)
        if not at.step:
            begun = _worst(slope)
        else:
            before, left = left, _worst(jnp.where(_free(network, z), slope, 0))
            # A solver that has reached its rounding error no longer moves.
            if left <= NEAR * begun or (at.step > 4 * CHUNK and left == before):
                break
        yield
    return _finished(network, x, y, z, polish)


def _finished(network: Network, x: jax.Array, y: jax.Array, z: Activities, polish: bool) -> Minimum:
    if polish:
        return _polished(network, x, y, z)
    free = _free(network, z)
    return Minimum(z, None, free, _rms(jnp.where(free, activity_slope(network, x, y, z), 0)))


def _polished(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> Minimum:
    """The nearby minimum by Newton steps, for each example as long as they help."""
    free = _free(network, z)
    factors, slope = _at(network, x, y, z, free)
    for _ in range(NEWTON_STEPS):
        if factors is None or _rms(slope) <= ROUNDING * _rms(by_example(z)):
            break
        moved = _minus(z, solved(factors, slope))
        after = jnp.where(free, activity_slope(network, x, y, moved), 0)
        better = _norms(after) < 0.5 * _norms(slope)
        if not bool(better.any()):
            break
        z = choose(better, moved, z)
        factors, slope = _at(network, x, y, z, free)
    return Minimum(z, factors, free, _rms(slope))


def _at(
    network: Network, x: jax.Array, y: jax.Array, z: Activities, free: jax.Array
) -> tuple[Blocks | None, jax.Array]:
    """Factors of the Hessians, and the slopes of the free activities."""
    factors = factorised(free_blocks(network, x, y, z, free))
    return factors, jnp.where(free, activity_slope(network, x, y, z), 0)


def _worst(slope: jax.Array) -> float:
    return float(jnp.sqrt(jnp.max(_norms(slope))))


def _norms(slope: jax.Array) -> jax.Array:
    return jnp.sum(slope**2, (1, 2))


def _free(network: Network, z: Activities) -> jax.Array:
    layers = by_example(z)
    return layers != 0 if is_kinked(network) else jnp.ones(layers.shape, bool)


def _rms(slope: jax.Array) -> float:
    return float(jnp.sqrt(jnp.mean(slope**2)))


@compiled()
def activity_slope(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    """The gradient of each example's energy in its activities, (B, H, N)."""
    return by_example(activity_gradient(network, x, y, z).gradient)


def free_blocks(network: Network, x: Array, y: Array, z: Activities, free: jax.Array) -> Blocks:
    """The activity Hessians on the `free` activities (B, H, N); the identity on the others."""
    return _restricted(hessian_blocks(network, x, y, unstack(jax.tree.map(np.asarray, z))), free)


@compiled()
def _restricted(blocks: Blocks, free: jax.Array) -> Blocks:
    both = free[..., :, None] & free[..., None, :]
    diagonal = jnp.where(both, blocks.diagonal, jnp.eye(free.shape[-1]))
    return Blocks(diagonal, jnp.where(free[:, 1:, :, None] & free[:, :-1, None, :], blocks.lower, 0))


@compiled()
def _minus(z: Activities, step: jax.Array) -> Activities:
    return tuple(own - change for own, change in zip(z, like(z, step), strict=True))


def by_example(z: Activities) -> jax.Array:
    """Equally large activities as vectors, (B, H, N)."""
    return jnp.moveaxis(jnp.concatenate([flat(stack) for stack in z]), 0, 1)


def like(z: Activities, vectors: jax.Array) -> Activities:
    """Inverse of `by_example`: vectors (B, H, N) as stacks like z."""
    edges = np.cumsum([len(stack) for stack in z])[:-1]
    parts = zip(jnp.split(jnp.moveaxis(vectors, 1, 0), edges), z, strict=True)
    return tuple(part.reshape(stack.shape) for part, stack in parts)
