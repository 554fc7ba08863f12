"""The weights of a stored run."""

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.pcn import Network
from pcviz.pcn.network import replaced, stacked_weights


def with_arrays(network: Network, arrays: dict[str, np.ndarray]) -> Network:
    """The network with the weights of a checkpoint, whose first leaves are those of a network. Raises ValueError if
    they do not fit or are not finite: pcviz 0.1.0 stored the last weights of a diverged run, later versions the last
    finite ones."""
    leaves, shape = jax.tree.flatten(network)
    found = [arrays.get(f"leaf_{i}") for i in range(len(leaves))]
    for leaf, stored in zip(leaves, found, strict=True):
        if stored is None or stored.shape != leaf.shape:
            raise ValueError("source: the network of the stored run differs from that of the experiment")
        if not np.isfinite(stored).all():
            raise ValueError(
                "source: the stored run diverged, its weights are not finite: train it again, or choose another"
            )
    held = jax.tree.unflatten(shape, [jnp.asarray(a, leaf.dtype) for a, leaf in zip(found, leaves, strict=True)])
    return replaced(network, stacked_weights(held))  # what follows from the options is the network's own


def arrays_of(network: Network) -> dict[str, np.ndarray]:
    """A network as a checkpoint keeps it: the inverse of `with_arrays`."""
    return {f"leaf_{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(network))}
