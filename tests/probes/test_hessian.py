"""The activity Hessian against automatic differentiation, dense algebra and closed forms (theory.md 4.1, 4.4)."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from pcviz.experiment import Experiment
from pcviz.numerics.blocktridiagonal import (
    Blocks,
    banded,
    dense,
    extreme_eigenpairs,
    extreme_eigenvalues,
    factorised,
    gradient_measure,
    solved,
    spectrum,
)
from pcviz.pcn import Network, build, feedforward
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.energy import layer_energies
from pcviz.pcn.gradients import activity_gradient, errors_of
from pcviz.probes import hessian
from tests.pcn import maps as maps_of
from tests.pcn.pairs import stacked_by_stage
from tests.probes.nets import Layers, initialised, network_of, pair, problem

SLOW = pytest.mark.slow
KINDS = [(p, s) for p in ("sp", "ntp", "mupc") for s in (False, True)]


def by_autodiff(network: Network, x: np.ndarray, y: np.ndarray, z: Layers) -> np.ndarray:
    """Each example's Hessian of the scalar energy, (B, H N, H N)."""
    flat = np.stack(z, axis=1).reshape(len(x), -1)
    return np.asarray(hessians_by_autodiff(network, x, y, flat))


@jax.jit
def hessians_by_autodiff(network: Network, x: jax.Array, y: jax.Array, flat: jax.Array) -> jax.Array:
    def energy(flat: jax.Array, one: jax.Array, target: jax.Array) -> jax.Array:
        stacks = stacked_by_stage(network, list(flat.reshape(network.depth - 1, 1, -1)))
        output = network.stages[-1](stacks[-1][-1:])[0]
        errors = errors_of(network, one[None], stacks, None, None)
        total = layer_energies(network, errors, output, target[None]).sum()
        return total

    return jax.vmap(jax.hessian(energy))(flat, x, y)


def random_blocks(count: int, width: int, seed: int = 0, shift: float = 0.0) -> Blocks:
    """A symmetric block tridiagonal matrix with eigenvalues of both signs unless shifted up."""
    rng = np.random.default_rng(seed)
    diagonal, lower = rng.standard_normal((1, count, width, width)), rng.standard_normal((1, count - 1, width, width))
    return Blocks(jnp.asarray(diagonal + diagonal.swapaxes(-1, -2) + shift * np.eye(width)), jnp.asarray(lower))


class TestHessian:
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.parametrize(("skips", "loss"), [(True, "ce"), pytest.param(False, "mse", marks=SLOW)])
    def test_is_that_of_the_energy_by_autodiff(self, activation: str, skips: bool, loss: str) -> None:
        for parameterisation in ("sp", "ntp", "mupc"):
            network, x, y, z = problem(
                activation=activation,
                parameterisation=parameterisation,
                skips=skips,
                loss=loss,
                precision=3.0,
                gamma=1.3,
            )
            found = hessian.hessian_blocks(network, x, y, z)
            expected = by_autodiff(network, x, y, z)
            np.testing.assert_allclose(dense(found), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
            np.testing.assert_allclose(spectrum(found), np.linalg.eigvalsh(expected), rtol=0, atol=1e-10)

    @pytest.mark.parametrize("depth", [2, 3])
    def test_in_shallow_networks(self, depth: int) -> None:
        network, x, y, z = problem(depth=depth, activation="tanh", skips=False)
        found = hessian.hessian_blocks(network, x, y, z)
        expected = by_autodiff(network, x, y, z)
        np.testing.assert_allclose(dense(found), expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(spectrum(found), np.linalg.eigvalsh(expected), rtol=0, atol=1e-12)

    @pytest.mark.parametrize(("parameterisation", "skips"), KINDS)
    def test_of_linear_networks_depends_on_nothing_but_weights(self, parameterisation: str, skips: bool) -> None:
        network, x, y, z = problem(parameterisation=parameterisation, skips=skips, precision=3.0)
        found = dense(hessian.hessian_blocks(network, x, y, z))
        expected = maps_of.activity_hessian(maps_of.layer_maps(network), 3.0)
        for one in found:
            np.testing.assert_allclose(one, expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("activation", ["relu", "hard_tanh"])
    def test_gauss_newton_is_exact_for_piecewise_linear_activations(self, activation: str) -> None:
        network, x, y, z = problem(activation=activation, loss="ce")
        exact = hessian.hessian_blocks(network, x, y, z)
        for part, expected in zip(hessian.hessian_blocks(network, x, y, z, gauss_newton=True), exact, strict=True):
            np.testing.assert_allclose(part, expected, rtol=0, atol=1e-14)

    @pytest.mark.parametrize("loss", ["mse", "ce"])
    def test_gauss_newton_is_the_product_of_its_factors(self, loss: str) -> None:
        """P^T P + G^T C G with unit lower bidiagonal P: positive, with determinant det(I + …) ≥ 1."""
        network, x, y, z = problem(activation="tanh", loss=loss, precision=3.0)
        found = dense(hessian.hessian_blocks(network, x, y, z, gauss_newton=True))
        assert np.linalg.eigvalsh(found).min() > 0
        assert np.linalg.slogdet(found)[1].min() >= -1e-12

    def test_negative_eigenvalues_are_shown(self) -> None:
        """Large errors times phi'' make the energy of a tanh network concave in some directions."""
        network, x, y, z = problem(activation="tanh", parameterisation="sp")
        blocks = hessian.hessian_blocks(network, x, 30 * y, z)
        values = spectrum(blocks)
        assert values.min() < -1
        np.testing.assert_allclose(values, np.linalg.eigvalsh(by_autodiff(network, x, 30 * y, z)), atol=1e-10)

    def test_of_float32_networks_is_float64(self) -> None:
        network, x, y, z = problem(activation="gelu", dtype="float32")
        found = hessian.hessian_blocks(network, x, y, [layer.astype(np.float32) for layer in z])
        assert {part.dtype for part in found} == {np.dtype(np.float64)}

    def test_too_much_memory_is_refused_with_what_fits(self) -> None:
        network, *_ = problem()
        x, y = np.zeros((64, 64)), np.zeros((64, 10))
        with pytest.raises(ValueError, match=r"allowed: 134217728, which fits 16 examples"):
            hessian.hessian_blocks(network, x, y, [np.zeros((64, 256))] * 64)

    def test_missing_layers_are_refused(self) -> None:
        network, x, y, z = problem()
        with pytest.raises(ValueError, match="4 hidden layers needed, 3 given"):
            hessian.hessian_blocks(network, x, y, z[1:])


class TestBlockTridiagonal:
    @pytest.mark.parametrize(("count", "width"), [(1, 5), (2, 3), (9, 4), (30, 1)])
    def test_bands_hold_the_matrix(self, count: int, width: int) -> None:
        blocks = random_blocks(count, width)
        whole, bands = dense(blocks)[0], banded(blocks)[0]
        assert len(bands) == (2 * width if count > 1 else width)
        for d, band in enumerate(bands):
            np.testing.assert_array_equal(band[: whole.shape[0] - d], np.diagonal(whole, -d))
        np.testing.assert_allclose(spectrum(blocks)[0], np.linalg.eigvalsh(whole), rtol=0, atol=1e-12)

    @pytest.mark.parametrize("shift", [0.0, 5.0, 30.0])
    @pytest.mark.parametrize(("count", "width"), [(4, 5), (8, 9)])
    def test_extreme_eigenvalues_of_either_sign(self, shift: float, count: int, width: int) -> None:
        blocks = random_blocks(count, width, shift=shift)
        values = np.linalg.eigvalsh(dense(blocks)[0])
        found = extreme_eigenvalues(blocks)
        np.testing.assert_allclose(found.smallest, values[0], rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(found.largest, values[-1], rtol=1e-7)

    def test_a_tiny_smallest_eigenvalue_keeps_its_sign_and_digits(self) -> None:
        blocks = random_blocks(8, 9)
        lowest = np.linalg.eigvalsh(dense(blocks)[0])[0]
        for tiny in (1e-5, -1e-5):
            moved = Blocks(blocks.diagonal + (tiny - lowest) * np.eye(9)[None, None], blocks.lower)
            np.testing.assert_allclose(extreme_eigenvalues(moved).smallest, tiny, rtol=1e-6)

    def test_a_measure_needs_a_minimum(self) -> None:
        with pytest.raises(ValueError, match="at or below 0"):
            gradient_measure(random_blocks(4, 5), [np.ones((1, 5))] * 4)


def initial_blocks(
    parameterisation: str, skips: bool, hidden: int, width: int, *, init: str = "", seed: int = 0
) -> Blocks:
    """The Hessian of a linear network at initialisation, K=10; it does not depend on W_1."""
    net = network_of(initialised(parameterisation, skips, hidden + 1, width, init=init, seed=seed, input_dim=8))
    return hessian.hessian_blocks(net, np.zeros((1, 8)), np.zeros((1, 10)), [np.zeros((1, width))] * hidden)


class TestConditioning:
    """The table of theory.md 4.4, within 30 %."""

    @pytest.mark.parametrize(
        ("parameterisation", "init", "skips", "width", "hidden", "kappa"),
        [
            ("sp", "", False, 32, 8, 28.8),
            ("sp", "", True, 32, 8, 1.2e3),
            ("sp", "lecun_normal", False, 32, 8, 510),
            ("sp", "lecun_normal", True, 32, 8, 1.4e4),
            ("mupc", "", True, 32, 8, 499),
            pytest.param("sp", "", False, 128, 4, 19.7, marks=SLOW),
            pytest.param("sp", "", True, 128, 8, 2.0e3, marks=SLOW),
            pytest.param("sp", "lecun_normal", False, 128, 16, 5.1e3, marks=SLOW),
            pytest.param("mupc", "", True, 128, 16, 2.4e3, marks=SLOW),
            pytest.param("mupc", "", False, 128, 8, 1.1e3, marks=SLOW),
        ],
    )
    def test_at_initialisation(
        self, parameterisation: str, init: str, skips: bool, width: int, hidden: int, kappa: float
    ) -> None:
        found = [
            extreme_eigenvalues(initial_blocks(parameterisation, skips, hidden, width, init=init, seed=seed))
            for seed in range(16)
        ]
        assert np.mean([e.largest / e.smallest for e in found]) == pytest.approx(kappa, rel=0.3)

    @pytest.mark.parametrize(("hidden", "kappa"), [(4, 30.0), (16, 438)])
    def test_of_orthogonal_networks_is_exact(self, hidden: int, kappa: float) -> None:
        (low,), (high,) = extreme_eigenvalues(initial_blocks("sp", False, hidden, 16, init="orthogonal"))
        assert low == pytest.approx(4 * np.sin(np.pi / (4 * hidden + 2)) ** 2, rel=1e-10)
        assert high == pytest.approx(4 * np.cos(np.pi / (2 * (hidden + 1))) ** 2, rel=1e-10)
        assert high / low == pytest.approx(kappa, rel=0.02)

    @pytest.mark.parametrize(("parameterisation", "skips"), KINDS)
    def test_determinant_is_that_of_the_scaled_rescaling(self, parameterisation: str, skips: bool) -> None:
        network, x, y, z = problem(parameterisation=parameterisation, skips=skips, precision=3.0, gamma=1.3)
        values = spectrum(hessian.hessian_blocks(network, x, y, z))
        rescaling = np.asarray(maps_of.rescaling(maps_of.layer_maps(network), 3.0))
        np.testing.assert_allclose(np.log(values).sum(1), np.linalg.slogdet(3 * rescaling)[1], rtol=0, atol=1e-10)

    @pytest.mark.parametrize("activation", ["tanh", pytest.param("relu", marks=SLOW)])
    def test_the_largest_eigenvalue_without_a_matrix(self, activation: str) -> None:
        net, network, x, y = pair(depth=17, width=12, activation=activation, batch=2)
        z, _ = net.forward(x)
        values = spectrum(hessian.hessian_blocks(network, x, y, z))
        np.testing.assert_allclose(hessian.largest_eigenvalue(network, x, y, z), values[:, -1], rtol=1e-7)


class TestDynamics:
    def test_continuous_flow_is_the_exponential_of_the_hessian(self) -> None:
        network, x, y, z = problem(seed=3, precision=3.0)
        (matrix,) = np.unique(np.round(dense(hessian.hessian_blocks(network, x, y, z)), 12), axis=0)
        minimum = np.stack(maps_of.equilibrium(maps_of.layer_maps(network), x, y, 3.0).activities, axis=1).reshape(
            4, -1
        )
        start = np.stack(z, axis=1).reshape(4, -1)
        expected = minimum + (start - minimum) @ expm(-2.5 * matrix).T

        def field(t: Any, stacks: Any, args: Any) -> Any:
            gradient = activity_gradient(network, jnp.asarray(x), jnp.asarray(y), stacks).gradient
            return jax.tree.map(jnp.negative, gradient)

        term, control = diffrax.ODETerm(field), diffrax.PIDController(rtol=1e-10, atol=1e-12)
        flow = diffrax.diffeqsolve(
            term, diffrax.Tsit5(), 0.0, 2.5, None, stacked_by_stage(network, z), stepsize_controller=control
        )
        found = np.concatenate([np.asarray(stack[-1]) for stack in flow.ys]).transpose(1, 0, 2).reshape(4, -1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)

    @pytest.mark.parametrize("activation", ["tanh", pytest.param("gelu", marks=SLOW)])
    def test_gradient_descent_is_stable_up_to_two_over_the_largest_eigenvalue(self, activation: str) -> None:
        """Small errors, so that the Hessian at the start is that of the minimum to a percent (oracle 16)."""
        net, network, x, y = pair(2, activation=activation, batch=1, parameterisation="ntp")
        z, output = net.forward(x)
        y = output + 1e-4 * y
        largest = float(hessian.largest_eigenvalue(network, x, y, z)[0])
        stable, unstable = (net.relax(x, y, f * 2 / largest, 1000).energies.sum(1) for f in (0.98, 1.02))
        assert np.diff(stable).max() <= 1e-10 * stable[0]
        assert unstable[400:].max() > 1e3 * stable[-1]

    def test_energy_falls_at_every_step_up_to_one_over_the_largest_eigenvalue(self) -> None:
        net, network, x, y = pair(precision=3.0, skips=False)
        largest = hessian.largest_eigenvalue(network, x, y, net.forward(x)[0]).max()
        energies = net.relax(x, y, 1 / largest, 100).energies.sum(1)
        assert np.diff(energies).max() < 0


@pytest.mark.slow
def test_the_spectrum_of_4064_activities_takes_two_seconds() -> None:
    import time

    network = build(Experiment.model_validate({"network": {"depth": 128, "width": 32, "activation": "tanh"}}))
    x, y = np.random.default_rng(0).standard_normal((1, 64)), np.eye(10)[:1]
    blocks = hessian.hessian_blocks(network, x, y, feedforward(network, x)[0])
    spectrum(blocks)
    start = time.process_time()
    values = spectrum(blocks)[0]
    assert time.process_time() - start < 2
    assert values.shape == (4064,)
    np.testing.assert_allclose(extreme_eigenvalues(blocks), [[values[0]], [values[-1]]], rtol=1e-6)
    assert values[0] < 0


@pytest.mark.parametrize(("count", "width"), [(1, 5), (4, 3), (12, 8)])
@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_both_ends_come_with_their_eigenvectors(count: int, width: int, shift: float) -> None:
    blocks = random_blocks(count, width, shift=shift)
    values, vectors = extreme_eigenpairs(blocks)
    (whole,) = dense(blocks)
    expected = np.linalg.eigvalsh(whole)
    np.testing.assert_allclose(values, expected[[0, -1]], rtol=1e-10)
    for value, vector in zip(values, vectors.reshape(2, -1), strict=True):
        np.testing.assert_allclose(whole @ vector, value * vector, atol=1e-8 * np.abs(expected).max())


def test_each_example_is_solved_with_its_own_factors() -> None:
    parts = [random_blocks(4, 3, seed, shift=20.0) for seed in range(3)]
    blocks = Blocks(*(jnp.concatenate(part) for part in zip(*parts, strict=True)))
    factors, right = factorised(blocks), np.random.default_rng(5).standard_normal((3, 4, 3))
    assert factors is not None
    expected = np.linalg.solve(dense(blocks), right.reshape(3, 12, 1)).reshape(3, 4, 3)
    np.testing.assert_allclose(solved(factors, jnp.asarray(right)), expected, atol=1e-12)
    assert factorised(blocks._replace(diagonal=blocks.diagonal.at[1].multiply(-1))) is None
