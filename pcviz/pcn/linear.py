"""Linear networks in closed form: equilibrium, its energy, rescaling, activity Hessian (theory.md 3.7, 4.1, 4.2).

A linear network is its layer maps: M_l = a_l W_l + tau_l I, shapes (N, D), then (N, N), last (K, N). With the output
Jacobians G_l = M_L … M_{l+1} and the residual r = y - M_L … M_1 x, everything follows from the K × K rescaling matrix

    S = I / lambda + sum_{l=1..H} G_l G_l^T,   u = S^{-1} r,   e_l* = G_l^T u,   e_L* = u / lambda,   F* = 1/2 <r · u>:

one pass down, one small solve and one pass up, O(L N²), where solving for the activities would cost O((H N)³). All of
it in float64, since S grows with depth (exponentially for standard parameters with skips). Hidden maps are stacked
and scanned, so that compile time does not grow with depth, and every function of arrays can be traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.pcn.batch import as_batch
from pcviz.pcn.network import Network, premultipliers, skip_flags, weights

HESSIAN_MAX = 8192
"""Largest H N of a dense activity Hessian: half a gigabyte."""

Array = np.ndarray | jax.Array


@short
class Maps(NamedTuple):
    """Layer maps with the hidden ones stacked: (N, D), (H - 1, N, N), (K, N), float64."""

    first: jax.Array
    hidden: jax.Array
    last: jax.Array


@short
class Equilibrium(NamedTuple):
    """The energy minimum of a linear network with clamped input and target.

    `activities` [z_1* … z_H*] and `errors` [e_1* … e_L*], each (B, N_l); `energies` E_1* … E_L*, (L,); `energy` F*.
    """

    activities: list[Array]
    errors: list[Array]
    energies: jax.Array
    energy: jax.Array


def layer_maps(network: Network) -> list[np.ndarray]:
    """M_1 … M_L of a linear network, each (N_l, N_{l-1}), float64. Raises ValueError if an activation is not linear."""
    activations = {stage.activation for stage in network.stages}
    if activations != {"linear"}:
        raise ValueError(f"only linear networks have layer maps; this one uses {', '.join(activations - {'linear'})}")
    parts = zip(weights(network), premultipliers(network), skip_flags(network), strict=True)
    return [a * np.asarray(w, np.float64) + (np.eye(len(w)) if skip else 0) for w, a, skip in parts]


def stacked(maps: Sequence[Array]) -> Maps:
    """The list M_1 … M_L as `Maps`; traced maps stay traced.

    Raises ValueError unless there are two or more and all hidden layers are equally wide.
    """
    if len(maps) < 2:
        raise ValueError(f"at least 2 layer maps are needed, got {len(maps)}")
    first, *hidden, last = maps
    width = first.shape[0]
    if any(m.shape != (width, width) for m in hidden) or last.shape[1] != width:
        raise ValueError(f"hidden layers must be equally wide, got layer maps of shapes {[m.shape for m in maps]}")
    # Outside a trace numpy stacks and unstacks: jax would compile a program that grows with depth.
    stack = jnp.stack if any(isinstance(m, jax.core.Tracer) for m in hidden) else np.stack
    middle = stack(hidden) if hidden else np.zeros((0, width, width))
    return Maps(*(jnp.asarray(m, jnp.float64) for m in (first, middle, last)))


def stage_maps(network: Network) -> Maps:
    """The layer maps of a linear network as its stages hold them; works on traced networks."""
    first, *hidden, last = (
        stage.premultiplier[...].astype(jnp.float64) * stage.weight[...]
        + (jnp.eye(stage.weight.shape[1])[None] if stage.skip else 0)
        for stage in network.stages
    )
    width = first.shape[1]
    return Maps(first[0], hidden[0] if hidden else jnp.zeros((0, width, width)), last[0])


def require_closed_form(network: Network) -> None:
    """Raise ValueError unless the network is linear and has the squared output error."""
    if not network.has_closed_form:
        uses = ", ".join([*sorted({stage.activation for stage in network.stages}), network.loss])
        raise ValueError(f"only linear networks with mse have a closed form; this one uses {uses}")


def least_energy(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """F* of a linear network with the squared output error on a batch x (B, D), y (B, K), () float64; works on traced
    networks (theory.md 4.2). Raises ValueError for others."""
    require_closed_form(network)
    x, y = as_batch(network, x, y)
    return _equilibrium_energy(stage_maps(network), x, y, network.output_precision[...])


def _unstacked(stack: jax.Array) -> list[Array]:
    """One array for each layer."""
    return list(stack if isinstance(stack, jax.core.Tracer) else np.asarray(stack))


def output_jacobians(maps: Sequence[Array]) -> list[Array]:
    """G_1 … G_H, each (K, N): G_l = M_L … M_{l+1} maps a change of z_l to the output (theory.md 0)."""
    return _unstacked(_jacobians(stacked(maps)))


def rescaling(maps: Sequence[Array], output_precision: float | Array = 1.0) -> jax.Array:
    """S = I / lambda + sum_l G_l G_l^T, (K, K): what turns the loss into the equilibrated energy (theory.md 4.2)."""
    layers = stacked(maps)
    return _rescaling(_jacobians(layers), output_precision)


def equilibrium(maps: Sequence[Array], x: Array, y: Array, output_precision: float | Array = 1.0) -> Equilibrium:
    """The equilibrium for inputs x (B, D) and targets y (B, K), in O(L N²) (theory.md 3.7)."""
    z, e, output_error, energies, energy = _equilibrium(stacked(maps), x, y, output_precision)
    return Equilibrium(_unstacked(z), [*_unstacked(e), output_error], energies, energy)


def equilibrium_energy(maps: Sequence[Array], x: Array, y: Array, output_precision: float | Array = 1.0) -> jax.Array:
    """F* = 1/2 <r^T S^{-1} r>, the energy at equilibrium, mean over the batch (theory.md 4.2)."""
    return _equilibrium_energy(stacked(maps), x, y, output_precision)


def activity_hessian(maps: Sequence[Array], output_precision: float | Array = 1.0) -> jax.Array:
    """The Hessian of one example's energy in the hidden activities, (H N, H N), layer after layer (theory.md 4.1).

    Block tridiagonal and dense here. Raises ValueError above H N = 8192; the equilibrium itself never needs it.
    """
    layers = stacked(maps)
    _, hidden, last = layers
    count, width = hidden.shape[0] + 1, hidden.shape[1]
    if (size := count * width) > HESSIAN_MAX:
        raise ValueError(
            f"a dense activity Hessian is limited to H N = {HESSIAN_MAX}; this network has {count} × {width} = {size}"
        )
    precision = jnp.asarray(output_precision, jnp.float64)
    curvature = jnp.concatenate([hidden.mT @ hidden, precision * (last.T @ last)[None]])
    every, lower = np.arange(count), np.arange(count - 1)
    blocks = jnp.zeros((count, width, count, width))
    blocks = blocks.at[every, :, every, :].set(jnp.eye(width)[None] + curvature)
    blocks = blocks.at[lower + 1, :, lower, :].set(-hidden)
    blocks = blocks.at[lower, :, lower + 1, :].set(-hidden.mT)
    return blocks.reshape(size, size)


@jax.jit
def _jacobians(maps: Maps) -> jax.Array:
    """G_1 … G_H stacked, (H, K, N)."""

    def below(g: jax.Array, m: jax.Array) -> tuple[jax.Array, jax.Array]:
        g = g @ m
        return g, g

    _, stack = jax.lax.scan(below, maps.last, maps.hidden, reverse=True)
    return jnp.concatenate([stack, maps.last[None]])


@jax.jit
def _rescaling(jacobians: jax.Array, output_precision: Array) -> jax.Array:
    identity = jnp.eye(jacobians.shape[1]) / jnp.asarray(output_precision, jnp.float64)
    return identity + jnp.einsum("hkn,hjn->kj", jacobians, jacobians)


def _residual_and_dual(maps: Maps, s: jax.Array, x: Array, y: Array) -> tuple[jax.Array, jax.Array]:
    """r = y - M_L … M_1 x and u = S^{-1} r, (B, K) both."""
    z = jnp.asarray(x, jnp.float64) @ maps.first.T
    z, _ = jax.lax.scan(lambda z, m: (z @ m.T, None), z, maps.hidden)
    r = jnp.asarray(y, jnp.float64) - z @ maps.last.T
    return r, jax.scipy.linalg.solve(s, r.T, assume_a="pos").T


@jax.jit
def _equilibrium_energy(maps: Maps, x: Array, y: Array, output_precision: Array) -> jax.Array:
    r, u = _residual_and_dual(maps, _rescaling(_jacobians(maps), output_precision), x, y)
    return 0.5 * jnp.mean(jnp.sum(r * u, -1))


@jax.jit
def _equilibrium(
    maps: Maps, x: Array, y: Array, output_precision: Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]:
    """Activities and errors of the hidden layers (H, B, N), e_L (B, K), energies (L,), F*."""
    precision = jnp.asarray(output_precision, jnp.float64)
    jacobians = _jacobians(maps)
    r, u = _residual_and_dual(maps, _rescaling(jacobians, precision), x, y)
    errors = jnp.einsum("bk,hkn->hbn", u, jacobians)

    def above(z: jax.Array, layer: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        m, e = layer
        z = z @ m.T + e
        return z, z

    z_1 = jnp.asarray(x, jnp.float64) @ maps.first.T + errors[0]
    _, upper = jax.lax.scan(above, z_1, (maps.hidden, errors[1:]))
    output_error = u / precision
    squares = jnp.append(jnp.sum(errors**2, -1).mean(-1), precision * jnp.mean(jnp.sum(output_error**2, -1)))
    activities = jnp.concatenate([z_1[None], upper])
    return activities, errors, output_error, 0.5 * squares, 0.5 * jnp.mean(jnp.sum(r * u, -1))
