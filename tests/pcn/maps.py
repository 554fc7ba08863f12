"""Linear networks as lists of layer maps M_1 … M_L: pcviz.pcn.linear with one array for each layer, and the dense
activity Hessian that follows from the maps (theory.md 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.pcn import Network, linear
from pcviz.pcn.architectures.mlp import Dense
from pcviz.pcn.stacks import unstack

Array = np.ndarray | jax.Array


class Equilibrium(NamedTuple):
    """`linear.equilibrium` with lists: activities [z_1* … z_H*], errors [e_1* … e_L*]."""

    activities: list[Array]
    errors: list[Array]
    energies: jax.Array
    energy: jax.Array


def layer_maps(network: Network) -> list[np.ndarray]:
    """M_1 … M_L of a network."""
    return [np.asarray(m) for m in unstack(tuple(stage.maps() for stage in network.stages))]


def network_of(maps: Sequence[Array], precision: float | Array = 1.0) -> Network:
    """The linear network with these maps, the hidden ones in one stage where there are any."""
    first, *hidden, last = (jnp.asarray(m, jnp.float64) for m in maps)
    stacks = (first[None], *([jnp.stack(hidden)] if hidden else []), last[None])
    stages = [Dense(stack, jnp.ones((len(stack), 1, 1)), "linear", False) for stack in stacks]
    return Network(stages, jnp.asarray(precision, jnp.float64), "mse")


def equilibrium(maps: Sequence[Array], x: Array, y: Array, precision: float | Array = 1.0) -> Equilibrium:
    """The equilibrium for inputs x (B, D) and targets y (B, K)."""
    found = linear.equilibrium(network_of(maps, precision), x, y)
    return Equilibrium(unstack(found.activities), unstack(found.errors), found.energies, found.energy)


def equilibrium_energy(maps: Sequence[Array], x: Array, y: Array, precision: float | Array = 1.0) -> jax.Array:
    """F*."""
    return linear.least_energy(network_of(maps, precision), x, y)


def _jacobians(maps: Sequence[Array]) -> linear.Maps:
    return linear.output_jacobians(linear.layer_maps(network_of(maps)))


def output_jacobians(maps: Sequence[Array]) -> list[Array]:
    """G_1 … G_H, each (K, N)."""
    return unstack(_jacobians(maps))


def rescaling(maps: Sequence[Array], precision: float | Array = 1.0) -> jax.Array:
    """S, (K, K)."""
    return linear.rescaling(_jacobians(maps), precision)


def activity_hessian(maps: Sequence[Array], precision: float | Array = 1.0) -> np.ndarray:
    """The Hessian of one example's energy in the hidden activities, (H N, H N), layer after layer; dense."""
    above = [np.asarray(m, np.float64) for m in maps[1:]]
    count, width = len(above), above[0].shape[1]
    whole = np.zeros((count, width, count, width))
    for layer, m in enumerate(above):
        weight = float(np.asarray(precision)) if layer == count - 1 else 1.0
        whole[layer, :, layer, :] = np.eye(width) + weight * (m.T @ m)
        if layer < count - 1:
            whole[layer + 1, :, layer, :], whole[layer, :, layer + 1, :] = -m, -m.T
    return whole.reshape(count * width, count * width)
