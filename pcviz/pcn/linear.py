"""Linear networks in closed form: equilibrium, its energy, rescaling (theory.md 3.7, 4.1, 4.2).

A linear layer is its map M_l, an affine one its map and an offset: M_l = a_l W_l + tau_l I where layers are fully
connected. With the output Jacobians G_l = M_L … M_{l+1} and the residual r = y - mu_L of the feedforward pass,
everything follows from the K × K rescaling matrix

    S = I / lambda + sum_{l=1..H} G_l G_l^T,   u = S^{-1} r,   e_l* = G_l^T u,   e_L* = u / lambda,   F* = 1/2 <r · u>:

one pass down, one small solve and one pass up, O(L N²), where solving for the activities would cost O((H N)³). All of
it in float64, since S grows with depth (exponentially for standard parameters with skips). Maps are stacked by stage
and scanned, so that compile time does not grow with depth, and every function can be traced.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.batch import as_batch
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Network, as_float64
from pcviz.pcn.stacks import Activities, flat, over_layers

Array = np.ndarray | jax.Array
Maps = tuple[jax.Array, ...]
"""Matrices of the layers of stages, (count, outputs, inputs) each."""


@short
class Equilibrium(NamedTuple):
    """The energy minimum of a linear network with clamped input and target, float64.

    `activities` z* of the hidden stages and `errors` e* of all; `energies` E_1* … E_L*, (L,); `energy` F*.
    """

    activities: Activities
    errors: Activities
    energies: jax.Array
    energy: jax.Array


def _require_closed_form(network: Network) -> None:
    """Raises ValueError if an activation is not linear or the output energy not the squared error."""
    if not network.has_closed_form:
        uses = [*sorted({stage.activation for stage in network.stages}), network.loss]
        uses += ["precisions"] if any(stage.precision is not None for stage in network.stages) else []
        raise ValueError(f"only linear networks with mse have a closed form; this one uses {', '.join(uses)}")


def layer_maps(network: Network) -> Maps:
    """M_l of all stages. Raises ValueError for networks without a closed form."""
    _require_closed_form(network)
    return tuple(stage.maps() for stage in network.stages)


def output_jacobians(maps: Maps) -> Maps:
    """G_l = M_L … M_{l+1} of the hidden stages, (count, K, N): the output's derivative in z_l (theory.md 0)."""

    def below(g: jax.Array, m: jax.Array) -> tuple[jax.Array, jax.Array]:
        return g @ m, g

    g, found = maps[-1][0], []
    for stack in reversed(maps[:-1]):
        g, own = over_layers(below, g, stack, reverse=True)
        found.append(own)
    return tuple(reversed(found))


def rescaling(jacobians: Maps, output_precision: Array | float = 1.0) -> jax.Array:
    """S = I / lambda + sum_l G_l G_l^T, (K, K): it turns the loss into the equilibrated energy (theory.md 4.2)."""
    identity = jnp.eye(jacobians[-1].shape[1]) / jnp.asarray(output_precision, jnp.float64)
    return sum((jnp.einsum("hkn,hjn->kj", g, g) for g in jacobians), start=identity)


def _output(maps: Maps, jacobians: Maps, network: Network, x: jax.Array) -> jax.Array:
    """mu_L (B, K) of the feedforward pass: every layer's offset b_l, its prediction from zero, arrives as G_l b_l, so
    that no pass up is needed."""
    zeros = (jnp.zeros((stage.count, 1, *stage.input_shape), x.dtype) for stage in network.stages)
    *hidden, (top,) = (stage(zero) for stage, zero in zip(network.stages, zeros, strict=True))
    offsets = (jnp.einsum("hkn,hbn->bk", g, flat(b)) for g, b in zip(jacobians, hidden, strict=True))
    inputs = x.reshape(len(x), -1) @ (jacobians[0][0] @ maps[0][0]).T
    return sum(offsets, start=inputs + top)


def _solved(network: Network, x: jax.Array, y: jax.Array) -> tuple[Maps, jax.Array, jax.Array]:
    """G_l, r and u, (B, K) both; all in float64."""
    maps = layer_maps(network)
    jacobians = output_jacobians(maps)
    r = y - _output(maps, jacobians, network, x)
    u = jax.scipy.linalg.solve(rescaling(jacobians, network.output_precision[...]), r.T, assume_a="pos").T
    return jacobians, r, u


@compiled()
def _least_energy(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    _, r, u = _solved(as_float64(network), x, y)
    return 0.5 * jnp.mean(jnp.sum(r * u, -1))


@compiled()
def _equilibrium(network: Network, x: jax.Array, y: jax.Array) -> Equilibrium:
    network = as_float64(network)
    jacobians, r, u = _solved(network, x, y)
    stacks = [jnp.einsum("bk,hkn->hbn", u, g) for g in jacobians]
    errors = [e.reshape(*e.shape[:2], *stage.output_shape) for e, stage in zip(stacks, network.stages, strict=False)]
    precision = network.output_precision[...]
    top = u / precision
    squares = [jnp.sum(e**2, -1).mean(-1) for e in stacks]
    energies = 0.5 * jnp.concatenate([*squares, precision * jnp.mean(jnp.sum(top**2, -1))[None]])
    z, _ = forward(network, x, tuple(errors))
    return Equilibrium(z, (*errors, top[None]), energies, 0.5 * jnp.mean(jnp.sum(r * u, -1)))


def least_energy(network: Network, x: Array, y: Array) -> jax.Array:
    """F* = 1/2 <r^T S^{-1} r> of a linear network, the energy at equilibrium, mean over a batch x (B, D), y (B, K), ()
    float64; works on traced networks (theory.md 4.2). Raises ValueError for networks without a closed form."""
    _require_closed_form(network)
    return _least_energy(network, *as_batch(network, x, y, jnp.float64))


def equilibrium(network: Network, x: Array, y: Array) -> Equilibrium:
    """The equilibrium of a linear network for inputs x (B, D) and targets y (B, K), in O(L N²) (theory.md 3.7). Raises
    ValueError for networks without a closed form."""
    _require_closed_form(network)
    return _equilibrium(network, *as_batch(network, x, y, jnp.float64))
