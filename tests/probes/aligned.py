"""The weight gradients of a relaxation beside backpropagation's, step by step."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Inference
from pcviz.pcn import Network
from pcviz.pcn.trajectory import trajectory
from pcviz.probes.alignment import Comparison, backprop_gradients, compare, gradients_at


def alignment(network: Network, x: np.ndarray, y: np.ndarray, inference: Inference, steps: Sequence[int]) -> Comparison:
    """PC's weight gradients after each of the inference `steps`; arrays get a leading axis of len(steps)."""
    x, y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
    reference = backprop_gradients(network, x, y)
    path = trajectory(network, x, y, inference).iterates(steps)
    found = [compare(gradients_at(network, x, at.settled), reference) for at in path if at.recorded]
    return Comparison(*(np.stack(part) for part in zip(*found, strict=True)))
