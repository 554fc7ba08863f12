"""Extreme curvatures of the energy in the activities, without forming the Hessian (theory.md 4.4).

The largest by power iteration on Hessian-vector products. The smallest by inverse iteration: with the linearised passes
up, P^-1 (errors to activities), and G (errors to output), the Gauss-Newton Hessian is P^T (I + lambda G^T C G) P, whose
inverse costs one pass down, a K × K solve and one pass up. It equals the Hessian where the output error vanishes and
for linear networks; for others it leaves out second derivatives of activations, which the errors multiply.
"""

import jax
import jax.numpy as jnp

from pcviz.numerics.compiling import compiled
from pcviz.numerics.device_kind import mapped
from pcviz.pcn.coordinates import curvature_product
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, errors_of
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities, dot, scaled

POWER_STEPS = 60
INVERSE_STEPS = 30


def _random(z: Activities) -> Activities:
    keys = jax.random.split(jax.random.key(0), len(z))
    return _normalised(tuple(jax.random.normal(key, a.shape, a.dtype) for key, a in zip(keys, z, strict=True)))


def _normalised(v: Activities) -> Activities:
    norm = jnp.sqrt(dot(v, v))
    return scaled(v, 1 / jnp.where(norm > 0, norm, 1))


@compiled()
def largest_curvature(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    """Largest eigenvalue of each example's Hessian at hidden activities z, (B,); from below, within a few per cent."""

    def product(v: Activities) -> Activities:
        return jax.jvp(lambda at: activity_gradient(network, x, y, at).gradient, (z,), (v,))[1]

    v = jax.lax.fori_loop(0, POWER_STEPS, lambda _, v: _normalised(product(v)), _random(z))
    return dot(v, product(v))


@compiled()
def smallest_curvature(network: Network, x: jax.Array, y: jax.Array, z: Activities) -> jax.Array:
    """Smallest eigenvalue of each example's Gauss-Newton Hessian at hidden activities z, (B,)."""
    errors = errors_of(network, x, z, None, None)
    (_, output), up = jax.linearize(lambda e: forward(network, x, e), errors)
    transposed = jax.linear_transpose(up, errors)
    none_z, none_y = jax.tree.map(jnp.zeros_like, z), jnp.zeros_like(output)

    def down(dz: Activities, dy: jax.Array) -> Activities:
        return transposed((dz, dy))[0]

    units = jnp.broadcast_to(jnp.eye(output.shape[1], dtype=output.dtype)[:, None], (output.shape[1], *output.shape))
    product = mapped(lambda unit: up(down(none_z, unit))[1], units, sum(stack.size for stack in z))
    curved = jnp.moveaxis(curvature_product(network, output, y, product), 0, 2)
    matrix = jnp.eye(output.shape[1], dtype=output.dtype)[None] + curved

    def inverse(v: Activities) -> Activities:
        w = down(v, none_y)
        right = curvature_product(network, output, y, up(w)[1])
        u = jnp.linalg.solve(matrix, right[..., None])[..., 0]
        return up(tuple(a - b for a, b in zip(w, down(none_z, u), strict=True)))[0]

    v = jax.lax.fori_loop(0, INVERSE_STEPS, lambda _, v: _normalised(inverse(v)), _random(z))
    return 1 / dot(v, inverse(v))
