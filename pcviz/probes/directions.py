"""Directions of planes through weight space, each by name."""

import jax
import numpy as np

from pcviz.instruments.plane.options import Directions
from pcviz.numerics import krylov
from pcviz.pcn.network import Network
from pcviz.probes import curvature
from pcviz.probes.plane import principal_directions
from pcviz.probes.surface import flat_descent


def directions_of(
    name: Directions,
    network: Network,
    x: jax.Array,
    y: jax.Array,
    points: np.ndarray,
    random: np.ndarray | None = None,
    other: np.ndarray | None = None,
) -> np.ndarray:
    """Two directions (2, P) for a plane through the last of the `points` (S, P), the weights of `network`.

    `random` (2, P) are filter-normalised directions, `other` (P,) the weights of another run; gradients are means over
    the examples x (B, D), y (B, K). Raises ValueError where a direction vanishes.
    """
    here = points[-1]
    if name == "path":
        return principal_directions(points)
    assert random is not None
    if name == "random":
        return random
    if name == "run":
        assert other is not None
        return _orthogonal(other - here, random[0], "the other run has the same weights")
    if name == "gradients":
        down = [np.asarray(flat_descent(kind, network, x, y), np.float64) for kind in ("loss", "energy")]
        pair = _orthogonal(down[0], down[1], "the gradient vanishes here")
    elif name == "curvature":
        least, greatest = krylov.finish(krylov.ends(curvature.loss(network, x, y).product, len(here))).vectors
        pair = np.stack([greatest, least])
    else:
        raise ValueError(f"directions: {name} is unknown")
    return pair / np.linalg.norm(pair, axis=1, keepdims=True) * np.linalg.norm(here)


def _orthogonal(first: np.ndarray, second: np.ndarray, fault: str) -> np.ndarray:
    """`first`, and the part of `second` that is orthogonal to it, both (P,)."""
    squared = first @ first
    rest = second - first * (first @ second) / max(squared, 1e-300)
    if not (squared > 0 and rest @ rest > 1e-24 * (second @ second)):
        raise ValueError(f"directions: {fault}; choose others")
    return np.stack([first, rest])
