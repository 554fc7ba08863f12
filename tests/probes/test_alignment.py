"""Predictive coding's weight gradients beside backpropagation's, as a relaxation goes on."""

from itertools import pairwise

import numpy as np

from pcviz.experiment import Inference
from pcviz.pcn import backprop, relax, weight_gradients
from pcviz.probes.alignment import compare, quartiles
from tests.probes.aligned import alignment
from tests.probes.nets import pair

DESCENT = Inference(solver="gradient_descent", step_size=0.2, steps=0)


def plain(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    a, b = np.ravel(a), np.ravel(b)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), float(np.linalg.norm(a) / np.linalg.norm(b))


def test_is_that_of_a_relaxation_of_its_own_at_each_step() -> None:
    _, network, x, y = pair(activation="tanh", precision=3.0)
    steps = [0, 3, 17]
    found = alignment(network, x, y, DESCENT, steps)
    reference = [3 * np.asarray(g) for g in backprop(network, x, y).gradients]
    assert found.cosine.shape == found.norm_ratio.shape == (3, 5)
    assert found.quartile_cosine.shape == (3, 4)
    for row, t in enumerate(steps):
        gradients = [np.asarray(g) for g in weight_gradients(network, x, y, relax(network, x, y, DESCENT, t))]
        for l, (g, r) in enumerate(zip(gradients, reference, strict=True)):
            expected = plain(g, r) if g.any() else (np.nan, 0.0)
            np.testing.assert_allclose((found.cosine[row, l], found.norm_ratio[row, l]), expected, rtol=1e-9)
        whole = [np.concatenate([g.ravel() for g in group]) for group in (gradients, reference)]
        np.testing.assert_allclose((found.total_cosine[row], found.total_norm_ratio[row]), plain(*whole), rtol=1e-9)


def test_at_the_start_only_the_last_layer_has_a_direction_backpropagations() -> None:
    _, network, x, y = pair(activation="tanh", precision=2.0)
    found = alignment(network, x, y, DESCENT, [0, 1])
    assert np.all(np.isnan(found.cosine[0, :-1]))
    assert np.all(found.norm_ratio[0, :-1] == 0)
    np.testing.assert_allclose([found.cosine[0, -1], found.norm_ratio[0, -1]], 1, rtol=1e-12)
    # One step later the layer below has backpropagation's direction, eta times as long.
    np.testing.assert_allclose([found.cosine[1, -2], found.norm_ratio[1, -2]], [1, 0.2], rtol=1e-12)


def test_one_error_based_step_of_size_one_has_backpropagations_errors() -> None:
    _, network, x, y = pair(activation="tanh", parameterisation="mupc", width=64)
    found = alignment(network, x, y, Inference(solver="error_based", step_size=1.0), [1])
    # Layer 1 has the same input, and so the same gradient; the others read relaxed activities.
    np.testing.assert_allclose([found.cosine[0, 0], found.norm_ratio[0, 0]], 1, rtol=1e-12)
    assert 0.95 < found.cosine.min() < 1


def test_quartiles_count_the_layers_of_each_quarter() -> None:
    rng = np.random.default_rng(0)
    g, r = ([rng.standard_normal((3, 4)) for _ in range(10)] for _ in range(2))
    found = compare(g, r)
    assert [len(q) for q in quartiles(10)] == [3, 3, 2, 2]
    for row, (i, j) in enumerate(pairwise([0, 3, 6, 8, 10])):
        expected = plain(np.stack(g[i:j]), np.stack(r[i:j]))
        np.testing.assert_allclose((found.quartile_cosine[row], found.quartile_norm_ratio[row]), expected, rtol=1e-12)


def test_tiny_gradients_have_a_direction_and_zero_has_none() -> None:
    g = np.random.default_rng(1).standard_normal((3, 4))
    found = compare([1e-250 * g, 0 * g, g], [g, g, 0 * g])
    np.testing.assert_allclose(found.cosine, [1, np.nan, np.nan], rtol=1e-12)
    np.testing.assert_allclose(found.norm_ratio, [1e-250, 0, np.nan], rtol=1e-12)
    # Three layers fill three quarters.
    np.testing.assert_allclose(found.quartile_cosine, [1, np.nan, np.nan, np.nan], rtol=1e-12)
