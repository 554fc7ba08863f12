"""Chains of scalars: closed forms against definitions, derivatives against differences, the origin (theory.md 4.7)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.experiment import from_paths
from pcviz.pcn import build, relax, weight_gradients, with_weights
from pcviz.probes import chain
from tests.pcn import maps as maps_of

WEIGHTS = np.random.default_rng(0).standard_normal((6, 4))
DEPTHS = range(1, 6)


def differences(f: Callable[[np.ndarray], np.ndarray], w: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of f in the last axis of w, along a new last axis."""
    return np.stack([(f(w + h * e) - f(w - h * e)) / (2 * h) for e in np.eye(w.shape[-1])], -1)


def energy_gradient(w: np.ndarray) -> np.ndarray:
    return chain.pc_gradient(w, chain.equilibrium(w))


def test_gradients_are_those_of_the_surfaces() -> None:
    np.testing.assert_allclose(chain.loss_gradient(WEIGHTS), differences(chain.loss, WEIGHTS), atol=1e-8)
    np.testing.assert_allclose(energy_gradient(WEIGHTS), differences(chain.least_energy, WEIGHTS), atol=1e-8)


def test_hessians_are_those_of_the_surfaces() -> None:
    for w in [*WEIGHTS, np.zeros(4), np.array([1.0, 0, 2, 0])]:
        np.testing.assert_allclose(chain.loss_hessian(w, 2.0), 2 * differences(chain.loss_gradient, w), atol=1e-7)
        np.testing.assert_allclose(chain.energy_hessian(w, 2.0), 2 * differences(energy_gradient, w), atol=1e-7)


@pytest.mark.parametrize("hidden", DEPTHS)
def test_a_chain_is_a_linear_network_of_width_one(hidden: int) -> None:
    rng = np.random.default_rng(hidden)
    w, x = rng.standard_normal(hidden + 1), rng.normal(1, 0.1, (64, 1))
    maps = [np.array([[v]]) for v in w]
    exact = maps_of.equilibrium(maps, x, -x)
    s = float(np.mean(x**2))
    assert chain.least_energy(w, s) == pytest.approx(float(exact.energy), rel=1e-12)
    assert chain.rescaling(w) == pytest.approx(float(maps_of.rescaling(maps)[0, 0]), rel=1e-12)
    for coefficient, z in zip(chain.equilibrium(w)[1:-1], exact.activities, strict=True):
        np.testing.assert_allclose(coefficient * x, z, rtol=1e-10, atol=1e-12)


def test_one_hidden_unit_in_closed_form() -> None:  # oracle 26
    for w1, w2 in WEIGHTS[:, :2]:
        w, s = np.array([w1, w2]), 1.01
        curvature = 1 + w2**2
        assert chain.equilibrium(w)[1] == pytest.approx((w1 - w2) / curvature, rel=1e-12)
        assert chain.least_energy(w, s) == pytest.approx(s * (1 + w1 * w2) ** 2 / (2 * curvature), rel=1e-12)
        hessian = maps_of.activity_hessian([np.array([[w1]]), np.array([[w2]])])
        np.testing.assert_allclose(hessian, [[curvature]], rtol=1e-12)


def test_inference_is_that_of_euler_steps() -> None:
    w, dt = 0.5 * WEIGHTS, 0.1
    c = chain.feedforward(w)
    for _ in range(20):
        e = c[:, 1:] - w * c[:, :-1]
        c[:, 1:-1] -= dt * (e[:, :-1] - w[:, 1:] * e[:, 1:])
    np.testing.assert_allclose(chain.inferred(w, 20, dt), c, atol=1e-13)
    np.testing.assert_allclose(chain.inferred(w, 4000, dt), chain.equilibrium(w), atol=1e-12)


@pytest.mark.parametrize("hidden", [1, 3])
def test_inference_and_gradients_are_those_of_the_engine(hidden: int) -> None:
    rng = np.random.default_rng(hidden)
    w, x = rng.standard_normal(hidden + 1), rng.normal(1, 0.1, (16, 1))
    experiment = from_paths(
        {
            "dtype": "float64",
            "network.depth": hidden + 1,
            "network.width": 1,
            "network.activation": "linear",
            "network.parameterisation": "sp",
            "network.skips": False,
            "inference.solver": "gradient_descent",
            "inference.step_size": 0.1,
        }
    )
    network = with_weights(build(experiment, 1, 1), [np.array([[v]]) for v in w])
    relaxed = relax(network, jnp.asarray(x), jnp.asarray(-x), experiment.inference, 20)
    ours = chain.pc_gradient(w, chain.inferred(w, 20, 0.1), float(np.mean(x**2)))
    theirs = [float(g[0, 0]) for g in weight_gradients(network, jnp.asarray(x), jnp.asarray(-x), relaxed)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_without_inference_only_the_last_weight_learns() -> None:
    gradient = chain.pc_gradient(WEIGHTS, chain.inferred(WEIGHTS, 0, 0.1))
    assert not gradient[:, :-1].any()
    np.testing.assert_allclose(gradient[:, -1], chain.loss_gradient(WEIGHTS)[:, -1], rtol=1e-12)


@pytest.mark.parametrize("hidden", DEPTHS)
def test_the_origin(hidden: int) -> None:  # oracle 25
    s, origin = 1.01, np.zeros(hidden + 1)
    at_loss = np.linalg.eigvalsh(chain.loss_hessian(origin, s))
    at_energy = np.linalg.eigvalsh(chain.energy_hessian(origin, s))
    golden = [s * (-1 - np.sqrt(5)) / 2, s * (-1 + np.sqrt(5)) / 2]
    np.testing.assert_allclose(at_loss, [-s, s] if hidden == 1 else origin, atol=1e-12)
    np.testing.assert_allclose(at_energy, golden if hidden == 1 else [-s, *[0] * hidden], atol=1e-12)


@pytest.mark.parametrize("hidden", [1, 2])
def test_the_origin_of_a_matrix_network(hidden: int) -> None:  # oracle 25
    inputs, width, outputs = 3, 4, 2
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, inputs)), rng.standard_normal((8, outputs))
    shapes = [(width, inputs), *[(width, width)] * (hidden - 1), (outputs, width)]
    sizes = [a * b for a, b in shapes]

    def maps(flat: jax.Array) -> list[jax.Array]:
        parts = jnp.split(flat, np.cumsum(sizes)[:-1].tolist())
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def energy(flat: jax.Array) -> jax.Array:
        return maps_of.equilibrium_energy(maps(flat), x, y)

    def loss(flat: jax.Array) -> jax.Array:
        z = jnp.asarray(x)
        for m in maps(flat):
            z = z @ m.T
        return 0.5 * jnp.mean(jnp.sum((y - z) ** 2, -1))

    origin = jnp.zeros(sum(sizes))
    at_energy = np.linalg.eigvalsh(jax.jit(jax.hessian(energy))(origin))
    at_loss = np.linalg.eigvalsh(jax.jit(jax.hessian(loss))(origin))
    if hidden == 1:
        singular = np.linalg.svd(y.T @ x / len(x), compute_uv=False)
        np.testing.assert_allclose(at_loss[: width * outputs], np.sort(-np.repeat(singular, width)), atol=1e-8)
        assert at_energy[0] < at_loss[0] < 0
    else:
        assert not at_loss.any()
        powers = np.repeat(np.linalg.eigvalsh(y.T @ y / len(y)), width)
        expected = np.sort(np.concatenate([-powers, np.zeros(len(at_energy) - len(powers))]))
        np.testing.assert_allclose(at_energy, expected, atol=1e-8)


@pytest.mark.parametrize("hidden", DEPTHS)
def test_saddles_of_the_energy_are_strict_at_every_depth(hidden: int) -> None:
    found = chain.critical_points(hidden, 0.0, 2.5)
    middle = found.loss_types[0], found.energy_types[0]
    assert middle == (chain.STRICT if hidden == 1 else chain.DEGENERATE, chain.STRICT)
    assert set(found.energy_types.tolist()) <= {-1, chain.MINIMUM, chain.STRICT}
    for w, kind in zip(found.weights, found.energy_types, strict=True):
        if kind == chain.STRICT:  # the direction of w_L alone has curvature -(1 + w_{L-1}² + …) or less
            assert np.linalg.eigvalsh(chain.energy_hessian(w))[0] <= -1 - w[-2] ** 2 * (hidden > 1) + 1e-12


def test_two_zero_weights_are_strict_and_three_degenerate() -> None:
    for hidden, fixed, expected in ((1, 0.0, chain.STRICT), (2, 0.5, chain.STRICT), (2, 0.0, chain.DEGENERATE)):
        assert chain.critical_points(hidden, fixed, 2.5).loss_types[0] == expected


@pytest.mark.parametrize("fixed", [0.5, -1.0])
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_the_minima_are_where_the_product_is_the_target(hidden: int, fixed: float) -> None:
    found = chain.critical_points(hidden, fixed, 2.5)
    np.testing.assert_allclose(np.prod(found.weights[1:], -1), -1)
    assert (found.loss_types[1:] == chain.MINIMUM).all() and (found.energy_types[1:] == chain.MINIMUM).all()
    assert len(found.weights) > 1 and (np.abs(found.weights[:, -2:]) <= 2.5).all()


def test_a_point_that_is_not_critical_has_no_type() -> None:
    w = np.ones(3)
    assert chain.point_type(float(chain.loss(w)), chain.loss_gradient(w), chain.loss_hessian(w)) == -1
