"""Planes through weight space: two directions, and where a path lies on them.

Weights are flat vectors (P,), stage after stage. Random directions are normalised filter by filter (Li et al. 2018,
arXiv 1712.09913): each row of a weight matrix gets the norm of that row of the reference weights; the biases of a layer
count as one row. Principal directions of the path follow the same paper, section 7.
"""

from dataclasses import dataclass, replace
from typing import Self

import jax
import numpy as np

from pcviz.brief import short
from pcviz.pcn.network import Network, stacked_weights

FILL = 0.65
"""Share of the plane's extent that the path takes along each principal direction."""


@dataclass(frozen=True)
@short
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

    @classmethod
    def at(cls, center: np.ndarray, directions: np.ndarray, lower: float = -1, upper: float = 1) -> Self:
        """A plane through `center` (P,) along `directions` (2, P), with no path but that point."""
        ends, nan = np.ones(2), float("nan")
        return cls(center, directions, lower * ends, upper * ends, np.zeros((1, 2)), nan, nan, 0.0, False)

    def spanning(self, lower: np.ndarray, upper: np.ndarray) -> Self:
        """The same plane, its picture from `lower` to `upper`, both (2,)."""
        return replace(self, lower=lower, upper=upper)


def random_directions(network: Network, seed: int) -> np.ndarray:
    """Two random directions (2, P), each row of each matrix scaled to the norm of that row of `network`'s weights.

    The same seed gives the same directions on every machine.
    """
    rng = np.random.default_rng([seed, 3])
    directions = []
    for _ in range(2):
        parts = []
        for leaf in jax.tree.leaves(stacked_weights(network)):
            reference = np.asarray(leaf, np.float64)
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
    """The plane through the last of the `points` (S, P) of a path along `directions` (2, P).

    Along principal directions the path fills most of the picture, along others it spans -1 … 1.
    """
    path, variance, length = shadow(points, directions)
    if principal:
        low, high = path.min(0), path.max(0)
        half = np.maximum(high - low, 1e-12) / (2 * FILL)
        # A path that hardly moves along the second direction still gets a plane, not a line.
        half = np.maximum(half, half.max() * 0.1)
        lower, upper = (low + high) / 2 - half, (low + high) / 2 + half
    else:
        lower, upper = -np.ones(2), np.ones(2)
    span = float(np.max((path.max(0) - path.min(0)) / (upper - lower)))
    return Plane(points[-1], directions, lower, upper, path, variance, length, span, principal)


def shadow(points: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Where the `points` (S, P) of a path lie on the plane through the last of them: coordinates (S, 2), and the shares
    of the path's variance and length that the plane holds.

    Everything follows from inner products, so that no second copy of the path is made.
    """
    products = points @ np.concatenate([points, directions]).T
    own = products[:, : len(points)]
    relative = own - own[-1] - own[:, -1:] + own[-1, -1]  # <p_i - p_S, p_j - p_S>
    along = products[:, len(points) :] - products[-1, len(points) :]
    gram = directions @ directions.T
    path = along @ np.linalg.pinv(gram)
    flat = path @ gram @ path.T
    return path, _share(_variance(flat), _variance(relative)), _share(_length(flat), _length(relative))


def _variance(gram: np.ndarray) -> float:
    """Sum of squared distances from the mean of points with these inner products."""
    return float(np.trace(gram) - gram.sum() / len(gram))


def _length(gram: np.ndarray) -> float:
    """Length of the path through points with these inner products."""
    squares = np.diag(gram)
    steps = squares[1:] + squares[:-1] - 2 * np.diag(gram, 1)
    return float(np.sqrt(np.maximum(steps, 0)).sum())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
