"""Curvature of loss and F* in the weights against automatic differentiation, differences and theory.md 4.7."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.experiment.activations import ACTIVATIONS
from pcviz.numerics.krylov import ends, finish, matrix
from pcviz.pcn import Network, backprop, linear
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import flat_weights, with_flat_weights
from pcviz.probes import curvature
from pcviz.probes.curvature import by_layer
from pcviz.probes.minimum import descend
from tests.probes.nets import pair

SLOW = pytest.mark.slow
SMALL = {"depth": 4, "width": 4, "input_dim": 3, "output_dim": 2}


def net(**options: Any) -> tuple[Network, np.ndarray, np.ndarray]:
    _, network, x, y = pair(**{**SMALL, "precision": 1.5, **options})
    return network, x, y


def hessian(function: curvature.Function) -> np.ndarray:
    return finish(matrix(function.products, function.gradient.size, 16))


def f_star(network: Network, x: np.ndarray, y: np.ndarray) -> curvature.Function:
    return curvature.energy(network, x, y, finish(descend(network, x, y)))


@pytest.mark.parametrize("skips", [False, pytest.param(True, marks=SLOW)])
@pytest.mark.parametrize(("activation", "loss"), [("linear", "mse"), ("tanh", "ce"), ("gelu", "mse")])
def test_of_the_loss_is_that_of_autodiff(activation: str, loss: str, skips: bool) -> None:
    network, x, y = net(activation=activation, loss=loss, skips=skips)
    found = curvature.loss(network, x, y)
    flat = jnp.asarray(flat_weights(network))
    expected = jax.hessian(lambda w: curvature._loss(network, jnp.asarray(x), jnp.asarray(y), w))(flat)
    np.testing.assert_allclose(hessian(found), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    reference = 1.5 * np.concatenate([np.ravel(g) for g in backprop(network, x, y).gradients])
    np.testing.assert_allclose(found.gradient, reference, atol=1e-13)


@pytest.mark.parametrize("skips", [False, True])
def test_of_the_equilibrated_energy_is_exact_for_linear_networks(skips: bool) -> None:
    network, x, y = net(skips=skips)
    found = curvature.energy(network, x, y)
    flat = jnp.asarray(flat_weights(network))
    expected = jax.hessian(
        lambda w: linear.least_energy(with_flat_weights(network, w), jnp.asarray(x), jnp.asarray(y))
    )(flat)
    np.testing.assert_allclose(hessian(found), expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    local = curvature.energy_gradient(network, x, y, finish(descend(network, x, y)).activities)
    np.testing.assert_allclose(found.gradient, local, atol=1e-13)


def test_implicit_and_closed_form_derivatives_of_a_linear_network_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, y = net(skips=True)
    direct = curvature.energy(network, x, y)
    expected = hessian(direct)
    monkeypatch.setattr(Network, "has_closed_form", False)
    implicit = f_star(network, x, y)
    assert implicit.value == pytest.approx(direct.value, rel=1e-12)
    np.testing.assert_allclose(implicit.gradient, direct.gradient, atol=1e-12)
    np.testing.assert_allclose(hessian(implicit), expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("activation", "loss", "accuracy"),
    [("tanh", "mse", 1e-8), pytest.param("gelu", "ce", 1e-8, marks=SLOW), ("relu", "mse", 1e-7)],
)
def test_of_the_equilibrated_energy_is_the_slope_of_its_gradient(activation: str, loss: str, accuracy: float) -> None:
    """Against central differences, each of two relaxations: their own error is about 1e-9 of the largest entry."""
    network, x, y = net(activation=activation, loss=loss)
    found = f_star(network, x, y)
    flat, step = flat_weights(network), 1e-5
    for seed in range(3):
        v = np.random.default_rng(seed).standard_normal(flat.size)
        v /= np.linalg.norm(v)
        sides = []
        for sign in (-1, 1):
            there = with_flat_weights(network, jnp.asarray(flat + sign * step * v))
            sides.append(curvature.energy_gradient(there, x, y, finish(descend(there, x, y)).activities))
        expected = (sides[1] - sides[0]) / (2 * step)
        np.testing.assert_allclose(found.product(v), expected, rtol=0, atol=accuracy * np.abs(expected).max())


def test_the_ends_of_the_spectrum_are_those_of_the_matrix() -> None:
    network, x, y = net(activation="tanh")
    for function in (curvature.loss(network, x, y), f_star(network, x, y)):
        values, vectors = np.linalg.eigh(hessian(function))
        found = finish(ends(function.product, function.gradient.size))
        np.testing.assert_allclose(found.values, values[[0, -1]], atol=1e-10)
        for vector, expected in zip(found.vectors, vectors[:, [0, -1]].T, strict=True):
            assert abs(vector @ expected) == pytest.approx(1, abs=1e-6)


def test_gauss_newton_is_the_square_of_the_jacobian() -> None:
    network, x, y = net(activation="tanh")
    flat = jnp.asarray(flat_weights(network))
    jacobian = jax.jacrev(lambda w: forward(with_flat_weights(network, w), jnp.asarray(x))[1])(flat).reshape(
        -1, flat.size
    )
    product = curvature.gauss_newton(network, x, y)
    v = np.random.default_rng(0).standard_normal(flat.size)
    np.testing.assert_allclose(product(v), 1.5 * jacobian.T @ (jacobian @ v) / len(x), atol=1e-12)


@pytest.mark.parametrize("depth", [3, 5])
def test_at_the_origin_the_loss_is_flat_and_the_equilibrated_energy_is_not(depth: int) -> None:
    """Oracle 25: without skips and H ≥ 2; F* has -eig(Syy) N times each (premultipliers and lambda 1)."""
    network, x, y = net(depth=depth, parameterisation="sp", skips=False, precision=1.0)
    origin = with_flat_weights(network, jnp.zeros(flat_weights(network).size))
    assert (hessian(curvature.loss(origin, x, y)) == 0).all()
    syy = np.linalg.eigvalsh(y.T @ y / len(y))
    values = np.linalg.eigvalsh(hessian(curvature.energy(origin, x, y)))
    zeros = np.zeros(len(values) - 4 * len(syy))
    np.testing.assert_allclose(values, np.sort(np.append(np.repeat(-syy, 4), zeros)), atol=1e-8)


def test_of_a_chain_of_scalars_is_the_golden_ratio() -> None:
    """Oracle 25, H = 1, y = -x, <x²> = s: loss ±s, F* (-s ± s √5) / 2."""
    network, x, _ = net(depth=2, width=1, input_dim=1, output_dim=1, parameterisation="sp", skips=False, precision=1.0)
    found, s = curvature.origin(network, x, -x), float(np.mean(x**2))
    assert found is not None and (found.multiplicity, found.zeros) == (1, 0)
    np.testing.assert_allclose(found.loss, [-s, s], atol=1e-12)
    np.testing.assert_allclose(found.energy, [(-s - s * 5**0.5) / 2, (-s + s * 5**0.5) / 2], atol=1e-12)


@pytest.mark.parametrize("loss", ["mse", "ce"])
@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("activation", ["linear", pytest.param("gelu", marks=SLOW)])
def test_the_spectrum_at_the_origin_is_known_in_closed_form(
    activation: str, depth: int, skips: bool, loss: str
) -> None:
    network, x, y = net(activation=activation, depth=depth, skips=skips, loss=loss, parameterisation="mupc", gamma=1.3)
    found = curvature.origin(network, x, y)
    assert found is not None
    origin = with_flat_weights(network, jnp.zeros(flat_weights(network).size))
    for own, function in ((found.loss, curvature.loss(origin, x, y)), (found.energy, f_star(origin, x, y))):
        expected = np.linalg.eigvalsh(hessian(function))
        values = np.sort(np.append(np.repeat(own, found.multiplicity), np.zeros(found.zeros)))
        np.testing.assert_allclose(values, expected, atol=1e-10)


@pytest.mark.parametrize("activation", [name for name, facts in ACTIVATIONS.items() if facts.kinked])
def test_a_kink_has_no_hessian_at_the_origin(activation: str) -> None:
    assert curvature.origin(*net(activation=activation)) is None


def test_where_inference_ends_in_no_strict_minimum_there_is_no_hessian() -> None:
    network, x, y = net(activation="tanh")
    settled = finish(descend(network, x, y))
    with pytest.raises(ValueError, match="strict minimum"):
        curvature.energy(network, x, y, settled._replace(factors=None))


def test_vectors_come_apart_into_layers() -> None:
    network, _, _ = net()
    flat = flat_weights(network)
    layers = by_layer(network, flat)
    assert [w.shape for w in layers] == [(4, 3), (4, 4), (4, 4), (2, 4)]
    np.testing.assert_array_equal(np.concatenate([w.ravel() for w in layers]), flat)


@pytest.mark.parametrize("activation", ["linear", "tanh", "relu"])
def test_inference_is_brought_to_the_last_digit(activation: str) -> None:
    network, x, y = net(activation=activation, depth=8, width=6)
    found = finish(descend(network, x, y))
    assert found.gradient_rms < 1e-14 and found.factors is not None
