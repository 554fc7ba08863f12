"""Weight normalisation: after each weight step every matrix gets one spectral norm (theory.md 2.4).

The norm is the random-matrix estimate of Meta-PCN: for a Gaussian matrix, (√fan-in + √fan-out) times the standard
deviation of its entries is within some percent of its largest singular value, at the cost of one pass over them.
"""

from typing import Any

import jax
import jax.numpy as jnp

from pcviz.pcn.network import Network, replaced
from pcviz.pcn.stacks import Activities, of_layers
from pcviz.pcn.stage import Stage, is_bias


def spectral_estimate(matrices: jax.Array) -> jax.Array:
    """(√fan-in + √fan-out) std of each of the matrices (count, N_out, N_in), whose entries may have a mean: (count,).
    It is 0 for a matrix of equal entries, such as a single one."""
    count, outputs = matrices.shape[:2]
    entries = matrices.reshape(count, outputs, -1)
    return (outputs**0.5 + entries.shape[2] ** 0.5) * jnp.std(entries, axis=(1, 2))


def normalised(network: Network, norm: jax.Array, moving: Activities | None = None) -> Network:
    """The network with all maps a_l W_l rescaled to the estimated spectral norm `norm`; biases, matrices without an
    estimate, and layers where `moving` (count,) is false stay as they are."""
    masks = [None] * len(network.stages) if moving is None else moving
    parts = zip(network.stages, masks, strict=True)
    return replaced(network, [_normalised(stage, norm, mask) for stage, mask in parts])


def _normalised(stage: Stage, norm: jax.Array, moving: jax.Array | None) -> Any:
    premultiplier = stage.premultiplier[...].reshape(-1)

    def rescaled(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        if is_bias(path):
            return leaf
        estimate = premultiplier * spectral_estimate(leaf)
        known = estimate > 0
        factor = jnp.where(known, norm / jnp.where(known, estimate, 1), 1)
        return of_layers(factor if moving is None else jnp.where(moving, factor, 1), leaf) * leaf

    return jax.tree.map_with_path(rescaled, stage.weights)
