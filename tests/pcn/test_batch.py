"""What people hand over as inputs and targets: used as meant, or refused in one line."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.experiment import from_paths
from pcviz.pcn import backprop, build, feedforward, linear, relax, weight_gradients
from pcviz.probes import surface, theory
from pcviz.probes.hessian import hessian_blocks

EXPERIMENT = from_paths({"network.depth": 4, "network.width": 8, "dtype": "float64"})
LINEAR = build(EXPERIMENT.changed({"network.activation": "linear"}))
X = np.random.default_rng(1).standard_normal((6, 64))
CLASSES = np.array([3, 1, 4, 1, 5, 9])
Y = np.eye(10)[CLASSES]


@pytest.fixture(scope="module")
def network() -> Any:
    return build(EXPERIMENT)


@pytest.fixture(scope="module")
def one() -> Any:
    """A network with one output."""
    return build(EXPERIMENT, 64, 1)


def refused(network: Any, x: Any, y: Any) -> str:
    with pytest.raises(ValueError) as caught:
        relax(network, x, y, EXPERIMENT.inference)
    text = str(caught.value)
    assert "\n" not in text and ("wanted" in text or "allowed" in text)
    return text


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (Y[:1], "y: has shape (1, 10) and type float64 (wanted: (6, 10), a row for each example of x"),
        (Y[0], "y: has shape (10,)"),
        (Y[:, :3], "y: has shape (6, 3)"),
        (CLASSES.astype(float), "y: has shape (6,) and type float64"),
        (CLASSES[:5], "y: has shape (5,)"),
        (CLASSES + 1, "y: holds class 10 (allowed: 0 to 9)"),
        (CLASSES - 2, "y: holds class -1 (allowed: 0 to 9)"),
        (np.where(Y == 1, np.nan, Y), "y: holds NaN or infinity"),
        ([[0.0] * 10] * 5 + [[0.0]], "y: has rows of different lengths"),
        (Y + 0j, "y: holds values of type complex128"),
        (Y.astype(str), "y: holds values of type <U32"),
        (None, "y: holds values of type object"),
        (2.0, "y: has shape ()"),
    ],
)
def test_targets_that_do_not_fit(network: Any, y: Any, said: str) -> None:
    assert refused(network, X, y).startswith(said)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X[0], "x: has shape (64,) (wanted: (B, 64), a row for each example)"),
        (X[:, :5], "x: has shape (6, 5)"),
        (X[:0], "x: has shape (0, 64)"),
        (X[None], "x: has shape (1, 6, 64)"),
        (X * np.inf, "x: holds NaN or infinity"),
    ],
)
def test_inputs_that_do_not_fit(network: Any, x: Any, said: str) -> None:
    assert refused(network, x, Y).startswith(said)
    with pytest.raises(ValueError, match=r"^x: (has|holds) "):
        feedforward(network, x)


def test_one_output_has_no_classes(one: Any) -> None:
    assert refused(one, X, CLASSES % 2).startswith("y: has shape (6,)")
    assert "classes" not in refused(one, X, CLASSES % 2)


@pytest.mark.parametrize("y", [CLASSES, CLASSES.astype(np.uint8), jnp.asarray(CLASSES), Y.tolist(), Y.astype(bool)])
def test_what_means_the_same_gives_the_same(network: Any, y: Any) -> None:
    expected = relax(network, X, Y, EXPERIMENT.inference)
    found = relax(network, X.tolist(), y, EXPERIMENT.inference)
    np.testing.assert_array_equal(found.energies, expected.energies)
    for mine, theirs in zip(
        weight_gradients(network, X, y, found), weight_gradients(network, X, Y, expected), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_every_door_is_watched(network: Any) -> None:
    z = feedforward(network, X)[0]
    relaxed = relax(network, X, Y, EXPERIMENT.inference)
    for act in (
        lambda y: backprop(network, X, y),
        lambda y: solve("gradient_descent", network, X, y),
        lambda y: weight_gradients(network, X, y, relaxed),
        lambda y: hessian_blocks(network, X, y, z),
        lambda y: theory.error_spectrum(network, X, y, z),
        lambda y: surface.loss_of(network, X, y),
        lambda y: surface.equilibrated_energy(network, X, y),
        lambda y: linear.least_energy(LINEAR, X, y),
    ):
        with pytest.raises(ValueError, match=r"y: has shape \(1, 10\)"):
            act(Y[:1])
    with pytest.raises(ValueError, match=r"x: has shape \(2, 64\) \(wanted: \(6, 64\), the batch that was relaxed\)"):
        weight_gradients(network, X[:2], Y[:2], relaxed)


def test_what_is_being_compiled_passes(network: Any) -> None:
    found = jax.jit(lambda x, y: backprop(network, x, y).loss)(X, Y)
    assert float(found) == pytest.approx(float(backprop(network, X, Y).loss))
