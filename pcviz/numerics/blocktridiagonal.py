"""Symmetric block tridiagonal matrices: spectrum, extreme eigenvalues, measures, in O(H N³) or by bands.

H blocks of size N on the diagonal, one matrix for each example, float64. The activity Hessian is of this kind.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics.compiling import compiled

DENSE_MAX = 64
"""Matrices up to this size H N are too small for Lanczos: extreme eigenvalues come from the dense matrix."""

LANCZOS_TOLERANCE = 1e-8
"""Relative accuracy asked of extreme eigenvalues."""
VECTOR_TOLERANCE = 1e-12
"""Relative accuracy where eigenvectors are asked for too, whose errors are the square roots of the eigenvalues'."""


@short
class Blocks(NamedTuple):
    """A block tridiagonal symmetric matrix for each example: `diagonal` (B, H, N, N) and `lower` (B, H - 1, N, N), the
    block in row l + 1 and column l."""

    diagonal: jax.Array
    lower: jax.Array


@short
class Extremes(NamedTuple):
    """Smallest and largest eigenvalue of each example's Hessian, (B,) float64 both."""

    smallest: np.ndarray
    largest: np.ndarray


@short
class Measure(NamedTuple):
    """How a vector spreads over the eigenvectors of a matrix: `nodes` (m,), ascending, stand for the eigenvalues and
    `weights` (m,) for the squared components along their eigenvectors."""

    nodes: np.ndarray
    weights: np.ndarray


def dense(blocks: Blocks) -> np.ndarray:
    """The whole matrices, (B, H N, H N)."""
    diagonal, lower = (np.asarray(part) for part in blocks)
    examples, count, width, _ = diagonal.shape
    whole = np.zeros((examples, count, width, count, width))
    for l in range(count):
        whole[:, l, :, l] = diagonal[:, l]
    for l in range(count - 1):
        whole[:, l + 1, :, l] = lower[:, l]
        whole[:, l, :, l + 1] = lower[:, l].swapaxes(-1, -2)
    return whole.reshape(examples, count * width, count * width)


def banded(blocks: Blocks) -> np.ndarray:
    """Lower band storage of `scipy.linalg.eig_banded`: row d holds the d-th subdiagonal, (B, 2 N, H N).

    The half bandwidth is 2 N - 1 (N - 1 if H = 1, and only N rows then).
    """
    diagonal, lower = (np.asarray(part) for part in blocks)
    examples, count, width, _ = diagonal.shape
    below = np.concatenate([lower, np.zeros((examples, 1, width, width))], axis=1)
    columns = np.concatenate([diagonal, below], axis=2)  # what stands in block column l, from its diagonal block on
    row = np.arange(2 * width)[:, None] + np.arange(width)
    taken = columns[:, :, np.minimum(row, 2 * width - 1), np.arange(width)]
    bands = np.where(row < 2 * width, taken, 0).transpose(0, 2, 1, 3).reshape(examples, 2 * width, count * width)
    return bands if count > 1 else bands[:, :width]


def spectrum(blocks: Blocks) -> np.ndarray:
    """All eigenvalues of each example's matrix, ascending, (B, H N): O(H² N³), negative ones included."""
    from scipy.linalg import eig_banded  # scipy takes a sixth of a second to import, and trainings need none of it

    return np.stack([eig_banded(bands, lower=True, eigvals_only=True, check_finite=True) for bands in banded(blocks)])


def extreme_eigenvalues(blocks: Blocks) -> Extremes:
    """Smallest and largest eigenvalue of each example's matrix in O(H N³), to a relative accuracy of about 1e-8.

    The largest by Lanczos, the smallest by Lanczos on the inverse, shifted below the spectrum where it is not positive:
    the sign of the smallest is certain, since a block Cholesky factorisation decides it.
    """
    count, width = blocks.diagonal.shape[1:3]
    smallest, largest = [], []
    for diagonal, lower in zip(*blocks, strict=True):
        matrix = Blocks(diagonal, lower)
        if count * width <= DENSE_MAX:
            values = spectrum(Blocks(diagonal[None], lower[None]))[0]
            low, high = values[0], values[-1]
        else:
            high = top_eigenvalue(partial(_multiply_flat, matrix), count * width)
            low = _bottom_eigenvalue(matrix, high)
        smallest.append(low)
        largest.append(high)
    return Extremes(np.array(smallest), np.array(largest))


def extreme_eigenpairs(blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest eigenvalue (2,) of one example's matrix and their eigenvectors (2, H, N), in O(H N³)."""
    matrix = Blocks(*(part[0] for part in blocks))
    count, width = matrix.diagonal.shape[:2]
    if count * width <= DENSE_MAX:
        values, vectors = np.linalg.eigh(dense(blocks)[0])
        ends = values[[0, -1]], vectors[:, [0, -1]].T
    else:
        high, top = top_eigenpair(partial(_multiply_flat, matrix), count * width, VECTOR_TOLERANCE)
        low, bottom = _bottom_eigenpair(matrix, high, VECTOR_TOLERANCE)
        ends = np.array([low, high]), np.stack([bottom, top])
    return ends[0], ends[1].reshape(2, count, width)


def gradient_measure(blocks: Blocks, gradient: Sequence[np.ndarray | jax.Array], nodes: int = 96) -> list[Measure]:
    """How the activity `gradient` [g_1 … g_H], each (B, N), spreads over the Hessian's eigenvectors, for each example.

    Gauss quadrature by Lanczos on the inverse (at most `nodes` nodes): sums over the nodes equal sums over the whole
    spectrum for the excess energy 1/2 sum_i w_i / lambda_i, and nearly so for its decay, whose tail the smallest
    eigenvalues govern. Raises ValueError where the matrix is not positive definite: then there is no minimum to reach.
    """
    vector = np.stack([np.asarray(g, np.float64) for g in gradient], axis=1)
    measures = []
    for diagonal, lower, start in zip(*blocks, vector, strict=True):
        factors = _factorise(Blocks(diagonal, lower), 0.0)
        if factors is None:
            raise ValueError("the activity Hessian has eigenvalues at or below 0: its quadratic model has no minimum")
        inverse, weights = _lanczos(partial(_solve_flat, factors), start.ravel(), nodes)
        kept = inverse > 0
        measures.append(Measure(1 / inverse[kept][::-1], weights[kept][::-1]))
    return measures


@compiled()
def _multiply(matrix: Blocks, vector: jax.Array) -> jax.Array:
    """A block tridiagonal matrix (H, N, N), (H - 1, N, N) times a vector (H, N)."""
    diagonal, lower = matrix
    product = jnp.einsum("lij,lj->li", diagonal, vector)
    product = product.at[1:].add(jnp.einsum("lij,lj->li", lower, vector[:-1]))
    return product.at[:-1].add(jnp.einsum("lji,lj->li", lower, vector[1:]))


def _multiply_flat(matrix: Blocks, flat: np.ndarray) -> np.ndarray:
    return np.asarray(_multiply(matrix, flat.reshape(matrix.diagonal.shape[:2]))).ravel()


def _factorise(matrix: Blocks, shift: float) -> Blocks | None:
    """Block Cholesky factors of matrix - shift I, O(H N³), or None unless that is positive definite."""
    factors = _cholesky(matrix, shift)
    return factors if bool(jnp.all(jnp.isfinite(factors.diagonal[-1]))) else None


@compiled()
def _cholesky(matrix: Blocks, shift: jax.Array) -> Blocks:
    """Lower triangular diagonal blocks (H, N, N) and the blocks below them (H - 1, N, N); NaN where it fails."""
    width = matrix.diagonal.shape[-1]
    shifted = matrix.diagonal - shift * jnp.eye(width)[None]
    triangle = partial(jax.scipy.linalg.solve_triangular, lower=True)

    def eliminate(
        above: jax.Array, block: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        own, lower = block
        below = triangle(above, lower.T).T
        factor = jnp.linalg.cholesky(own - below @ below.T)
        return factor, (factor, below)

    first = jnp.linalg.cholesky(shifted[0])
    _, (rest, lower) = jax.lax.scan(eliminate, first, (shifted[1:], matrix.lower))
    return Blocks(jnp.concatenate([first[None], rest]), lower)


@compiled()
def _solve(factors: Blocks, vector: jax.Array) -> jax.Array:
    """The solution (H, N) of the factorised system, by one sweep up the layers and one down."""
    diagonal, lower = factors
    triangle = jax.scipy.linalg.solve_triangular

    def up(above: jax.Array, row: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        own, below, right = row
        solved = triangle(own, right - below @ above, lower=True)
        return solved, solved

    first = triangle(diagonal[0], vector[0], lower=True)
    _, rest = jax.lax.scan(up, first, (diagonal[1:], lower, vector[1:]))

    def down(after: jax.Array, row: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        own, below, right = row
        solved = triangle(own, right - below.T @ after, lower=True, trans="T")
        return solved, solved

    half = jnp.concatenate([first[None], rest])
    last = triangle(diagonal[-1], half[-1], lower=True, trans="T")
    _, lead = jax.lax.scan(down, last, (diagonal[:-1], lower, half[:-1]), reverse=True)
    return jnp.concatenate([lead, last[None]])


def factorised(blocks: Blocks) -> Blocks | None:
    """Block Cholesky factors of each example's matrix, for `solved`; None unless all are positive definite."""
    factors = _cholesky_of_each(blocks)
    return factors if bool(jnp.all(jnp.isfinite(factors.diagonal[:, -1]))) else None


@compiled()
def _cholesky_of_each(blocks: Blocks) -> Blocks:
    return jax.vmap(_cholesky, (0, None))(blocks, 0.0)


@compiled()
def solved(factors: Blocks, vectors: jax.Array) -> jax.Array:
    """The solutions (B, H, N) of each example's factorised system."""
    return jax.vmap(_solve)(factors, vectors)


def _solve_flat(factors: Blocks, flat: np.ndarray) -> np.ndarray:
    return np.asarray(_solve(factors, flat.reshape(factors.diagonal.shape[:2]))).ravel()


def top_eigenvalue(product: Callable[[np.ndarray], np.ndarray], size: int) -> float:
    """The largest eigenvalue of a symmetric operator on vectors (size,)."""
    return top_eigenpair(product, size)[0]


def top_eigenpair(
    product: Callable[[np.ndarray], np.ndarray], size: int, tolerance: float = LANCZOS_TOLERANCE
) -> tuple[float, np.ndarray]:
    """The largest eigenvalue of a symmetric operator on vectors (size,), and its eigenvector (size,)."""
    if size <= DENSE_MAX:
        values, vectors = np.linalg.eigh(np.stack([product(unit) for unit in np.eye(size)]))
        return float(values[-1]), vectors[:, -1]
    start = np.random.default_rng(0).standard_normal(size)
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        values, vectors = eigsh(operator, 1, which="LA", v0=start, tol=tolerance)
    except ArpackNoConvergence as stopped:
        raise RuntimeError(f"the largest of {size} eigenvalues did not converge: {stopped}") from stopped
    return float(values[0]), vectors[:, 0]


def _bottom_eigenvalue(matrix: Blocks, largest: float) -> float:
    return _bottom_eigenpair(matrix, largest)[0]


def _bottom_eigenpair(matrix: Blocks, largest: float, tolerance: float = LANCZOS_TOLERANCE) -> tuple[float, np.ndarray]:
    """The smallest eigenvalue and its eigenvector, from the inverse of the matrix shifted below its spectrum."""
    shift, factors = 0.0, _factorise(matrix, 0.0)
    while factors is None:
        shift = 4 * shift if shift else -1e-6 * abs(largest)
        factors = _factorise(matrix, shift)
    size = matrix.diagonal.shape[0] * matrix.diagonal.shape[1]
    value, vector = top_eigenpair(partial(_solve_flat, factors), size, tolerance)
    return shift + 1 / value, vector


def _lanczos(
    product: Callable[[np.ndarray], np.ndarray], start: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """At most `count` nodes (ascending) and weights of Gauss quadrature for a symmetric operator from `start` (size,).

    With full reorthogonalisation, so that no eigenvalue is counted twice.
    """
    norm = np.linalg.norm(start)
    basis, alphas, betas = [start / (norm or 1.0)], [], []
    for _ in range(min(count, start.size)):
        new = product(basis[-1])
        alphas.append(basis[-1] @ new)
        span = np.stack(basis)
        for _ in range(2):
            new = new - span.T @ (span @ new)
        beta = np.linalg.norm(new)
        if beta <= 1e-13 * max(map(abs, alphas)):
            break
        betas.append(beta)
        basis.append(new / beta)
    order = len(alphas)
    nodes, vectors = np.linalg.eigh(np.diag(alphas) + np.diag(betas[: order - 1], 1) + np.diag(betas[: order - 1], -1))
    return nodes, norm**2 * vectors[0] ** 2
