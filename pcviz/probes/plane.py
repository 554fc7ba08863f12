"""Planes through weight space: two directions, and where a path lies on them.

Weights are flat vectors (P,), stage after stage. Random directions are normalised filter by filter (Li et al. 2018,
arXiv 1712.09913): each row of a weight matrix gets the norm of that row of the reference weights. Principal directions
of the path follow the same paper, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from pcviz.pcn.energy import output_loss
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import replaced, stacked_weights
from pcviz.pcn.network import Network

FILL = 0.65
"""Share of the plane's extent that the path takes along each principal direction."""


@dataclass(frozen=True)
class Plane:
    """`center` (P,), `directions` (2, P); the picture spans `lower` … `upper` (2,) in units of the directions.

    `path` (S, 2) are the coordinates of the path's points relative to the center; `variance` and `length` the shares of
    the path's variance and length that lie in the plane; `span` its extent as a share of the plane's.
    """

    center: np.ndarray
    directions: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    path: np.ndarray
    variance: float
    length: float
    span: float
    principal: bool


def random_directions(network: Network, seed: int) -> np.ndarray:
    """Two random directions (2, P), each row of each matrix scaled to the norm of that row of `network`'s weights.

    The same seed gives the same directions on every machine.
    """
    rng = np.random.default_rng([seed, 3])
    directions = []
    for _ in range(2):
        parts = []
        for stack in stacked_weights(network):
            reference = np.asarray(stack, np.float64)
            draw = rng.standard_normal(reference.shape)
            norm = np.linalg.norm(draw, axis=-1, keepdims=True)
            parts.append((draw * np.linalg.norm(reference, axis=-1, keepdims=True) / norm).ravel())
        directions.append(np.concatenate(parts))
    return np.stack(directions)


def principal_directions(points: np.ndarray) -> np.ndarray:
    """The first two principal directions (2, P), orthonormal, of the points (S, P) of a path, S ≥ 3.

    By the S × S Gram matrix: S is at most 32, P can be millions.
    """
    centered = points - points.mean(0)
    gram = centered @ centered.T
    values, vectors = np.linalg.eigh(gram)
    return (vectors[:, :-3:-1] / np.sqrt(np.maximum(values[:-3:-1], 1e-300))).T @ centered


def plane(points: np.ndarray, directions: np.ndarray, principal: bool) -> Plane:
    """The plane through the last of the `points` (S, P) of a path along `directions` (2, P)."""
    center = points[-1]
    relative = points - center
    squared = np.einsum("kp,kp->k", directions, directions)
    path = relative @ directions.T / squared
    if principal:
        low, high = path.min(0), path.max(0)
        half = np.maximum(high - low, 1e-12) / (2 * FILL)
        # A path that hardly moves along the second direction still gets a plane, not a line.
        half = np.maximum(half, half.max() * 0.1)
        lower, upper = (low + high) / 2 - half, (low + high) / 2 + half
    else:
        lower, upper = -np.ones(2), np.ones(2)
    span = float(np.max((path.max(0) - path.min(0)) / (upper - lower)))
    shadow = path @ directions
    return Plane(
        center,
        directions,
        lower,
        upper,
        path,
        _share(np.sum((shadow - shadow.mean(0)) ** 2), np.sum((relative - relative.mean(0)) ** 2)),
        _share(_length(shadow), _length(relative)),
        span,
        principal,
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


@jax.jit
def plane_losses(
    network: Network, center: jax.Array, directions: jax.Array, at: jax.Array, x: jax.Array, y: jax.Array
) -> jax.Array:
    """Mean loss on x (B, D), y (B, K) at the points `at` (M, 2) of a plane: center (P,), directions (2, P) -> (M,)."""

    def loss(coordinates: jax.Array) -> jax.Array:
        flat = center + coordinates @ directions
        moved = replaced(network, _unflattened(network, flat))
        return output_loss(network.loss, forward(moved, x)[1], y)

    return jax.lax.map(loss, at)


def _unflattened(network: Network, flat: jax.Array) -> tuple[jax.Array, ...]:
    stacks, first = [], 0
    for stack in stacked_weights(network):
        stacks.append(flat[first : first + stack.size].reshape(stack.shape))
        first += stack.size
    return tuple(stacks)
