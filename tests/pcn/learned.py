"""Weight gradients that a method learns from, on one batch."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Inference, Learning
from pcviz.pcn import Network
from pcviz.pcn.gradients import stacked_gradients
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import unstack
from pcviz.pcn.trajectory import relaxing

PLAIN = Learning()
DESCENT: dict[str, Any] = {"solver": "gradient_descent", "step_size": 0.3}


def settled(
    network: Network, x: np.ndarray, y: np.ndarray, steps: int, learning: Learning = PLAIN, **inference: Any
) -> Settled:
    """The end of a relaxation of so many steps."""
    path, _ = relaxing(network, *_as(network, x, y), Inference(**DESCENT | inference), learning, steps=steps)
    *_, end = path.iterates([steps])
    return end.settled


def gradients(
    network: Network, x: np.ndarray, y: np.ndarray, steps: int, learning: Learning = PLAIN, **inference: Any
) -> list[np.ndarray]:
    """[g_1 … g_L] at its end."""
    path, _ = relaxing(network, *_as(network, x, y), Inference(**DESCENT | inference), learning, steps=steps)
    *_, end = path.iterates([steps])
    return [np.asarray(g) for g in unstack(stacked_gradients(network, path.x, end.settled))]


def relative(found: Any, expected: Any) -> np.ndarray:
    """Norm of the difference of every layer, relative to the expected one's."""
    pairs = zip(found, expected, strict=True)
    return np.array([np.linalg.norm(np.asarray(a) - b) / np.linalg.norm(np.asarray(b)) for a, b in pairs])


def _as(network: Network, *parts: np.ndarray) -> list[Any]:
    return [jnp.asarray(part, network.dtype) for part in parts]
