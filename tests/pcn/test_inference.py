"""Relaxations: every step numpy's, the end the closed form's (theory.md 8)."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from pcviz.experiment import Inference
from pcviz.frames import TRACE_ROWS
from pcviz.pcn import (
    Network,
    backprop,
    build,
    feedforward,
    relax,
    weight_gradients,
)
from pcviz.pcn.gradients import errors_of
from tests.pcn import maps as maps_of
from tests.pcn.pairs import pair, stacked_by_stage
from tests.pcn.reference import half_square
from tests.pcn.theory import DESCENT, PRECISION, arrays, assert_all_close, both_losses, deep, descent, kinds


class TestGradientDescent:
    @kinds
    @pytest.mark.parametrize(("activation", "loss"), [("relu", "mse"), ("gelu", "ce")])
    def test_every_step_is_numpys(self, parameterisation: str, skips: bool, loss: str, activation: str) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "loss": loss, "activation": activation}
        net, network, x, y = pair(**options, **PRECISION)
        expected = net.relax(x, y, 0.1, 12)
        found = relax(network, x, y, descent(0.1), steps=12)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=1e-12 * expected.energies.max())
        assert_all_close(found.activities, expected.activities, 1e-12)
        assert_all_close(weight_gradients(network, x, y, found), net.weight_gradients(x, y, expected.activities), 1e-12)

    def test_adam_on_activities_is_optaxs(self) -> None:
        """Across window and chunk ends alike: 41 layers, more steps than one chunk records."""
        net, network, x, y = pair(activation="tanh", depth=41)
        steps, optimiser = TRACE_ROWS + 5, optax.adam(0.01)
        z = [jnp.asarray(a) for a in net.forward(x)[0]]
        slots = optimiser.init(z)
        energies = [net.energies(x, y, arrays(z)).sum()]
        for t in range(steps):
            gradients = [4 * g for g in net.activity_gradients(x, y, arrays(z))]
            # Layers ahead of the front stand still, where rounding would feed Adam.
            gradients = [jnp.asarray(g) if l >= 40 - t else jnp.zeros_like(g) for l, g in enumerate(gradients, 1)]
            updates, slots = optimiser.update(gradients, slots)
            z = optax.apply_updates(z, updates)
            energies.append(net.energies(x, y, arrays(z)).sum())
        found = relax(network, x, y, descent(0.01, "adam"), steps=steps)
        np.testing.assert_allclose(found.energies.sum(axis=1)[:60], energies[:60], rtol=1e-6)
        np.testing.assert_allclose(found.energies.sum(axis=1), energies, rtol=1e-3)

    def test_long_relaxations_record_every_step(self) -> None:
        net, network, x, y = pair(activation="tanh")
        steps = 2 * TRACE_ROWS + 3
        expected = net.relax(x, y, 0.1, steps)
        found = relax(network, x, y, descent(0.1), steps=steps)
        assert found.energies.shape == (steps + 1, 5)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=1e-12 * expected.energies.max())

    @pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "adam"])
    def test_the_front_window_changes_nothing(self, solver: str) -> None:
        """40 layers and 50 steps pass through every window."""
        _, network, x, y = pair(activation="tanh", depth=41)
        rate = 0.01 if solver == "adam" else 0.1
        with_window, without = (
            relax(network, x, y, descent(rate, solver), steps=50, windowed=windowed) for windowed in (True, False)
        )
        np.testing.assert_allclose(
            with_window.energies, without.energies, rtol=1e-9, atol=1e-20, err_msg="energies differ"
        )
        assert_all_close(with_window.activities, arrays(without.activities), 1e-11)

    @kinds
    @pytest.mark.parametrize("precision", [1.0, 3.0])
    def test_arrives_at_the_closed_form_equilibrium(self, parameterisation: str, skips: bool, precision: float) -> None:
        """Oracle 10."""
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, precision=precision, depth=4)
        maps = maps_of.layer_maps(network)
        eigenvalues = np.linalg.eigvalsh(maps_of.activity_hessian(maps, precision))
        expected = maps_of.equilibrium(maps, x, y, precision)
        steps = int(10 * eigenvalues[-1] / eigenvalues[0])
        found = relax(network, x, y, descent(1 / eigenvalues[-1]), steps=steps)
        assert found.energies[-1].sum() == pytest.approx(float(expected.energy), rel=1e-6)
        gradients = weight_gradients(network, x, y, found)
        at_equilibrium = pair(parameterisation=parameterisation, skips=skips, precision=precision, depth=4)[0]
        assert_all_close(gradients, at_equilibrium.weight_gradients(x, y, arrays(expected.activities)), 1e-3)

    @kinds
    def test_energy_falls_monotonically_up_to_one_over_the_largest_curvature(
        self, parameterisation: str, skips: bool
    ) -> None:
        """Oracle 17."""
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips)
        largest = np.linalg.eigvalsh(maps_of.activity_hessian(maps_of.layer_maps(network)))[-1]
        totals = relax(network, x, y, descent(1 / largest), steps=100).energies.sum(axis=1)
        assert np.all(np.diff(totals) <= 1e-12)

    @kinds
    def test_is_stable_up_to_two_over_the_largest_curvature_and_no_further(
        self, parameterisation: str, skips: bool
    ) -> None:
        """Oracle 16. The targets are chosen so that the first step excites the stiffest direction."""
        _, network, x, _ = pair(parameterisation=parameterisation, skips=skips)
        values, vectors = np.linalg.eigh(maps_of.activity_hessian(maps_of.layer_maps(network)))
        top = vectors[-6:, -1]
        y = feedforward(network, x)[1] + 100 * (top @ maps_of.layer_maps(network)[-1].T)[None]
        calm, wild = (
            relax(network, x, y, descent(eta / values[-1]), steps=600).energies.sum(axis=1) for eta in (1.9, 2.1)
        )
        assert np.all(np.diff(calm) <= 1e-12 * calm[0])
        assert wild[-1] > 1e3 * wild[0]

    @kinds
    def test_equilibrium_energy_is_between_zero_and_the_loss(self, parameterisation: str, skips: bool) -> None:
        """Oracle 14."""
        net, network, x, y = pair(parameterisation=parameterisation, skips=skips, precision=3.0)
        energy = float(maps_of.equilibrium_energy(maps_of.layer_maps(network), x, y, 3.0))
        assert 0 < energy < 3.0 * half_square(y - net.forward(x)[1])

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("activation", ["linear", "tanh"])
    def test_targets_of_the_networks_own_leave_nothing_to_do(self, activation: str, dtype: str) -> None:
        """Oracle 15."""
        _, network, x, _ = pair(activation=activation, dtype=dtype)
        y = feedforward(network, x)[1]
        found = relax(network, x, y, DESCENT, steps=20)
        rounding = 100 * np.finfo(dtype).eps
        assert found.energies.sum(axis=1).max() < rounding**2
        assert max(np.abs(e).max() for e in found.errors) < rounding
        assert max(np.abs(g).max() for g in weight_gradients(network, x, y, found)) < rounding

    @pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "error_based"])
    @pytest.mark.parametrize("activation", ["linear", "gelu"])
    def test_a_free_output_leaves_everything_where_it_is(self, activation: str, solver: str) -> None:
        """Oracle 15. An output that costs nothing is as good as one that is not clamped."""
        _, network, x, y = pair(activation=activation)
        free = Network(network.stages, jnp.zeros(()), network.loss)
        found = relax(free, x, y, descent(0.3, solver), steps=30)
        np.testing.assert_array_equal(found.energies, 0)
        for z, start in zip(found.activities, feedforward(network, x)[0], strict=True):
            np.testing.assert_array_equal(z, start)


class TestErrorBasedInference:
    """Oracle 7: errors as variables (theory.md 3.6)."""

    @kinds
    @both_losses
    def test_one_step_of_size_one_is_backpropagation(self, parameterisation: str, skips: bool, loss: str) -> None:
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, loss=loss, activation="tanh")
        *found, _ = relax(network, x, y, descent(1.0, "error_based"), steps=1).errors
        *expected, _ = backprop(network, x, y).deltas
        for e, delta in zip(found, expected, strict=True):
            np.testing.assert_allclose(e, delta, rtol=1e-12, atol=1e-16)

    def test_a_small_step_scales_hidden_gradients_but_not_the_last(self) -> None:
        _, network, x, y = pair(activation="tanh")
        eta = 1e-6
        *hidden, last = weight_gradients(network, x, y, relax(network, x, y, descent(eta, "error_based"), steps=1))
        *expected, output = backprop(network, x, y).gradients
        assert_all_close([g / eta for g in hidden], arrays(expected), 1e-4)
        np.testing.assert_allclose(last, output, rtol=1e-4)

    @kinds
    def test_every_step_is_numpys(self, parameterisation: str, skips: bool) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "loss": "ce", "activation": "gelu"}
        net, network, x, y = pair(**options, **PRECISION)
        errors = net.relax_errors(x, y, 0.05, 9)
        found = relax(network, x, y, descent(0.05, "error_based"), steps=9)
        assert_all_close(found.errors[:-1], errors, 1e-12)
        assert_all_close(found.activities, net.forward(x, errors)[0], 1e-12)
        np.testing.assert_allclose(
            found.energies[-1], net.energies(x, y, net.forward(x, errors)[0]), rtol=1e-9, atol=1e-20
        )

    @kinds
    def test_arrives_at_the_same_equilibrium_with_the_same_gradients(self, parameterisation: str, skips: bool) -> None:
        net, network, x, y = pair(parameterisation=parameterisation, skips=skips, **PRECISION)
        maps = maps_of.layer_maps(network)
        expected = maps_of.equilibrium(maps, x, y, net.precision)
        largest = np.linalg.eigvalsh(net.precision * maps_of.rescaling(maps, net.precision))[-1]
        steps = min(int(30 * largest), 5000)
        found = relax(network, x, y, descent(1 / largest, "error_based"), steps=steps)
        assert found.energies[-1].sum() == pytest.approx(float(expected.energy), rel=1e-8)
        assert_all_close(found.activities, expected.activities, 1e-8)
        gradients = net.weight_gradients(x, y, arrays(expected.activities))
        assert_all_close(weight_gradients(network, x, y, found), gradients, 1e-8)

    def test_the_signal_reaches_all_of_128_layers_in_one_step(self) -> None:
        experiment, x, y = deep("tanh", "float32")
        *hidden, _ = relax(build(experiment), x, y, descent(0.3, "error_based"), steps=1).errors
        assert all(np.any(e) for e in hidden)


@pytest.mark.parametrize("initial", ["zero", "normal"])
@pytest.mark.parametrize("solver", ["gradient_descent", "error_based"])
def test_other_starts_end_at_the_same_equilibrium(initial: str, solver: str) -> None:
    _, network, x, y = pair(parameterisation="mupc", depth=4)
    maps = maps_of.layer_maps(network)
    inference = Inference(solver=solver, initial=initial, step_size=0.3, steps=0)
    found = relax(network, x, y, inference, steps=2000)
    assert found.energies[0, :-1].any()
    assert_all_close(found.activities, maps_of.equilibrium(maps, x, y).activities, 1e-9)


@pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "adam", "error_based"])
def test_float32_relaxations_end_in_float32(solver: str) -> None:
    _, network, x, y = pair(activation="tanh", dtype="float32")
    relaxation = relax(network, x, y, descent(0.05, solver), steps=20)
    layers = [*relaxation.activities, *relaxation.errors, *weight_gradients(network, x, y, relaxation)]
    assert {str(layer.dtype) for layer in layers} == {"float32"}
    assert relaxation.energies.dtype == np.float64


def test_rounding_is_what_the_correction_removes() -> None:
    """Without it the batched prediction differs from the layer-by-layer start by rounding, in most of 128 layers."""
    experiment, x, _ = deep("tanh", "float32")
    network = build(experiment)
    x_ = jnp.asarray(x, jnp.float32)
    start = stacked_by_stage(network, feedforward(network, x_)[0])
    correction = errors_of(network, x_, start, None, None)
    assert max(float(jnp.abs(c).max()) for c in correction) < 1e-5
    cleaned = errors_of(network, x_, start, correction, None)
    assert not any(np.any(e) for e in cleaned)


def test_a_normal_start_is_jpcs() -> None:
    """N(0, 0.05²), whatever the network predicts (the default of jpc)."""
    _, network, x, y = pair(width=200, batch=50, depth=4)
    drawn = relax(network, x, y, Inference(initial="normal", steps=0)).activities
    for z in map(np.asarray, drawn):
        assert z.mean() == pytest.approx(0, abs=0.003) and z.std() == pytest.approx(0.05, rel=0.03)
    assert not np.allclose(drawn[0], drawn[1])
