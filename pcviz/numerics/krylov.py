"""Eigenvalues and linear systems of large symmetric matrices that are known by their products with vectors alone.

Every function is a generator: it pauses after each product, so that the caller can do other work meanwhile, and
returns its result at the end (`finish` runs one without pauses). Nothing is random: same products, same results.
"""

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from pcviz.brief import short

Product: TypeAlias = Callable[[np.ndarray], np.ndarray]
Result = TypeVar("Result")
Work: TypeAlias = Generator[None, None, Result]

TOLERANCE = 1e-7
BASIS_NUMBERS = 2**26
"""Most numbers in the basis of a search: half a gigabyte."""
KEPT = 6
"""Approximate eigenvectors of each end that a restart keeps."""


@short
class Ends(NamedTuple):
    """Both ends of a spectrum: `values` (2,), smallest and largest; their `vectors` (2, P), orthonormal; bounds of the
    error of each value, `errors` (2,); the number of `products`."""

    values: np.ndarray
    vectors: np.ndarray
    errors: np.ndarray
    products: int


@short
class Solved(NamedTuple):
    """The solution (P,) of a linear system, its relative residual, and the number of products."""

    solution: np.ndarray
    residual: float
    products: int


def finish(work: Work[Result]) -> Result:
    """Run a generator to its end and return its value."""
    while True:
        try:
            next(work)
        except StopIteration as stopped:
            value: Result = stopped.value
            return value


def ends(product: Product, size: int, *, tolerance: float = TOLERANCE, most: int = 400) -> Work[Ends]:
    """Smallest and largest eigenvalue of a symmetric operator on vectors (size,), with eigenvectors.

    Lanczos with full reorthogonalisation and thick restarts (Wu and Simon 2000): ends when both residuals, which bound
    the errors, are below `tolerance` times the largest magnitude, or after `most` products. Eigenvalues are then good
    to far more digits: their errors go with the square of the residuals. The sign of a vector makes its largest entry
    positive.
    """
    room = min(size, max(2 * KEPT + 4, min(64, BASIS_NUMBERS // size)))
    basis, small = np.zeros((room, size)), np.zeros((room, room))
    new, count = np.random.default_rng(0).standard_normal(size), 0
    new /= np.linalg.norm(new)
    for done in range(1, most + 1):
        basis[count] = new
        image = product(new)
        count += 1
        span = basis[:count]
        small[count - 1, :count] = small[:count, count - 1] = overlap = span @ image
        new = image - overlap @ span
        new -= (span @ new) @ span
        norm = float(np.linalg.norm(new))
        values, vectors = np.linalg.eigh(small[:count, :count])
        scale = max(abs(values[0]), abs(values[-1]))
        exhausted = count == size or norm <= 1e-14 * scale or scale == 0
        errors = np.zeros(2) if exhausted else norm * np.abs(vectors[-1, [0, -1]])
        if exhausted or done == most or errors.max() <= tolerance * scale:
            found = _signed(vectors[:, [0, -1]].T @ span)
            return Ends(values[[0, -1]], found, errors, done)
        if count == room:
            chosen = [*range(KEPT), *range(room - KEPT, room)]
            basis[: len(chosen)] = vectors[:, chosen].T @ span
            small[:], count = 0, len(chosen)
            small[range(count), range(count)] = values[chosen]
        new /= norm
        yield
    raise ValueError(f"most: {most} is below 1")


def _signed(vectors: np.ndarray) -> np.ndarray:
    largest = np.abs(vectors).argmax(1)
    return vectors * np.where(vectors[range(len(vectors)), largest] < 0, -1.0, 1.0)[:, None]


def solution(product: Product, right: np.ndarray, *, tolerance: float = 1e-6, most: int = 200) -> Work[Solved]:
    """Solve a positive definite system by conjugate gradients from zero, up to a relative residual of `tolerance`."""
    found, residual = np.zeros_like(right), right.copy()
    direction, squared, first = residual.copy(), float(residual @ residual), float(right @ right)
    done = 0
    while done < most and squared > tolerance**2 * first:
        image = product(direction)
        done += 1
        length = squared / float(direction @ image)
        found += length * direction
        residual -= length * image
        before, squared = squared, float(residual @ residual)
        direction = residual + squared / before * direction
        yield
    return Solved(found, float(np.sqrt(squared / first)) if first else 0.0, done)


def matrix(product: Callable[[np.ndarray], np.ndarray], size: int, block: int) -> Work[np.ndarray]:
    """The matrix (size, size) itself from products with `block` vectors at a time, (block, size) -> (block, size)."""
    whole = np.zeros((size, size))
    for first in range(0, size, block):
        units = np.zeros((block, size))
        rows = range(first, min(first + block, size))
        units[range(len(rows)), rows] = 1
        whole[rows] = product(units)[: len(rows)]
        yield
    return (whole + whole.T) / 2
