"""Extreme eigenvalues and linear systems from products alone, against dense algebra."""

import numpy as np
import pytest

from pcviz.numerics.krylov import ends, finish, matrix, solution


def symmetric(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """A matrix with these eigenvalues."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values),) * 2))
    return (q * values) @ q.T


@pytest.mark.parametrize("size", [1, 2, 7, 20, 300])
def test_both_ends_and_their_vectors(size: int) -> None:
    values = np.random.default_rng(size).standard_normal(size) ** 3
    a = symmetric(values)
    found = finish(ends(lambda v: a @ v, size))
    scale = np.abs(values).max()
    np.testing.assert_allclose(found.values, [values.min(), values.max()], rtol=0, atol=1e-10 * scale)
    for value, vector, bound in zip(found.values, found.vectors, found.errors, strict=True):
        assert np.linalg.norm(a @ vector - value * vector) <= bound + 1e-10 * scale
        assert np.linalg.norm(vector) == pytest.approx(1)
        assert vector[np.abs(vector).argmax()] > 0


def test_restarts_find_the_end_of_a_crowded_spectrum() -> None:
    values = np.append(np.linspace(0, 1, 399), -1e-2)
    a, count = symmetric(values), 0

    def product(v: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return a @ v

    found = finish(ends(product, 400))
    assert count == found.products > 64
    np.testing.assert_allclose(found.values, [-1e-2, 1], atol=1e-10)


def test_of_nothing_there_is_nothing() -> None:
    found = finish(ends(np.zeros_like, 50))
    assert (found.values == 0).all() and found.products == 1


def test_most_products_bound_the_work_and_errors_say_so() -> None:
    values = np.linspace(0, 1, 200)
    a = symmetric(values)
    found = finish(ends(lambda v: a @ v, 200, most=10))
    assert found.products == 10
    assert (np.abs(found.values - [0, 1]) <= found.errors).all() and found.errors.max() > 1e-3


def test_conjugate_gradients_solve() -> None:
    a, right = symmetric(np.geomspace(1e-2, 1, 60)), np.random.default_rng(1).standard_normal(60)
    found = finish(solution(lambda v: a @ v, right, tolerance=1e-10))
    np.testing.assert_allclose(a @ found.solution, right, atol=1e-8)
    assert found.residual <= 1e-10
    assert finish(solution(lambda v: a @ v, np.zeros(60))).residual == 0


def test_a_matrix_from_blocks_of_products() -> None:
    a = symmetric(np.arange(7.0))
    np.testing.assert_allclose(finish(matrix(lambda rows: rows @ a, 7, 3)), a, atol=1e-14)
