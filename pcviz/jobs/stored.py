"""The weights of a stored run."""

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.pcn import Network


def with_arrays(network: Network, arrays: dict[str, np.ndarray]) -> Network:
    """The network with the weights of a checkpoint, which are its first leaves. Raises ValueError if they do not fit or
    are not finite: pcviz 0.1.0 stored the last weights of a diverged run, later versions the last finite ones."""
    leaves, shape = jax.tree.flatten(network)
    found = [arrays.get(f"leaf_{i}") for i in range(len(leaves))]
    for leaf, stored in zip(leaves, found, strict=True):
        if stored is None or stored.shape != leaf.shape:
            raise ValueError("source: the network of the stored run differs from that of the experiment")
        if not np.isfinite(stored).all():
            raise ValueError(
                "source: the stored run diverged, its weights are not finite: train it again, or choose another"
            )
    return jax.tree.unflatten(shape, [jnp.asarray(a, leaf.dtype) for a, leaf in zip(found, leaves, strict=True)])


def arrays_of(network: Network) -> dict[str, np.ndarray]:
    """A network as a checkpoint keeps it: the inverse of `with_arrays`."""
    return {f"leaf_{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(network))}
