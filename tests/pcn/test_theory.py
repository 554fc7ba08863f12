"""Predictive coding networks obey their theory (theory.md section 8), alone and against the numpy reference."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from benchmarks import reference as unrolled
from pcviz.experiment import Experiment, Inference
from pcviz.frames import TRACE_ROWS
from pcviz.pcn import (
    Network,
    backprop,
    build,
    feedforward,
    learning,
    linear,
    premultipliers,
    relax,
    skip_flags,
    weight_gradients,
    weights,
    with_weights,
)
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, errors_of, weight_gradient
from pcviz.pcn.trace import padded_rows
from tests.pcn.pairs import pair, stacked_by_stage
from tests.pcn.reference import half_square

KINDS = [(p, s) for p in ("sp", "ntp", "mupc") for s in (False, True)]
kinds = pytest.mark.parametrize(("parameterisation", "skips"), KINDS)
both_losses = pytest.mark.parametrize("loss", ["mse", "ce"])
DESCENT = Inference(solver="gradient_descent", step_size=0.3, steps=0)
PRECISION = {"precision": 3.0, "gamma": 1.3}


def descent(step_size: float, solver: str = "gradient_descent") -> Inference:
    return Inference(solver=solver, step_size=step_size, steps=0)


def arrays(layers: list) -> list[np.ndarray]:
    return [np.asarray(layer) for layer in layers]


def assert_all_close(found: list, expected: list, tolerance: float) -> None:
    """Within `tolerance` of the largest entry of all layers."""
    largest = max(np.abs(layer).max() for layer in expected)
    assert len(found) == len(expected)
    for layer, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(layer, wanted, rtol=0, atol=tolerance * largest)


def unrolled_model(network: Network) -> unrolled.Model:
    """The same network for `benchmarks.reference`, whose gradients are JAX's."""
    activation = ACTIVATIONS[network.stages[-1].activation]
    scales, flags = tuple(map(float, premultipliers(network))), tuple(map(int, skip_flags(network)))
    return unrolled.Model(scales, flags, activation, network.loss, float(network.output_precision[...]))


autodiff = jax.jit(jax.value_and_grad(unrolled.energy, argnums=(1, 2)), static_argnums=0)
local_gradient = jax.jit(activity_gradient)
local_weight_gradient = jax.jit(weight_gradient)


class TestGradients:
    """Oracle 1: what is written by hand is what automatic differentiation finds."""

    @both_losses
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_numpy_agrees_with_autodiff(self, activation: str, loss: str) -> None:
        net, network, x, y = pair(activation=activation, loss=loss, **PRECISION)
        z = perturbed(net, x)
        ws, model = [jnp.asarray(w) for w in net.weights], unrolled_model(network)
        energy, (of_weights, of_activities) = autodiff(model, ws, [jnp.asarray(a) for a in z], x, y)
        assert_all_close(net.weight_gradients(x, y, z), of_weights, 1e-10)
        assert_all_close(net.activity_gradients(x, y, z), of_activities, 1e-10)
        assert net.energies(x, y, z).sum() == pytest.approx(float(energy), rel=1e-12)

    @both_losses
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    def test_pcviz_agrees_with_numpy(self, activation: str, loss: str) -> None:
        assert_gradients_agree("float64", 1e-10, activation=activation, loss=loss, **PRECISION)

    @kinds
    def test_in_every_parameterisation(self, parameterisation: str, skips: bool) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "activation": "tanh"}
        assert_gradients_agree("float64", 1e-10, **options, **PRECISION)

    @pytest.mark.parametrize(
        ("activation", "loss"), [("linear", "mse"), ("tanh", "ce"), ("relu", "mse"), ("gelu", "ce")]
    )
    def test_in_float32_to_rounding(self, activation: str, loss: str) -> None:
        assert_gradients_agree("float32", 1e-4, activation=activation, loss=loss, **PRECISION)

    @pytest.mark.parametrize("depth", [2, 3, 4])
    def test_in_shallow_networks(self, depth: int) -> None:
        assert_gradients_agree("float64", 1e-10, activation="tanh", depth=depth, **PRECISION)

    @both_losses
    @pytest.mark.parametrize("activation", ["tanh", "gelu"])
    def test_are_the_slopes_of_the_energy(self, activation: str, loss: str) -> None:
        """Methods.md O7: central differences of F in every activity and every weight."""
        net, network, x, y = pair(activation=activation, loss=loss, **PRECISION)
        z, h = perturbed(net, x), 1e-5
        stacks = stacked_by_stage(network, z)
        local = local_gradient(network, jnp.asarray(x), jnp.asarray(y), stacks)
        of_weights = local_weight_gradient(network, jnp.asarray(x), stacks, local.errors)
        for layers, stacked, scale in ((z, local.gradient, len(x)), (net.weights, of_weights, 1)):
            found = [np.asarray(layer) for stack in stacked for layer in stack]
            slopes = [np.zeros_like(layer) for layer in layers]
            for layer, slope in zip(layers, slopes, strict=True):
                for at in np.ndindex(layer.shape):
                    value, energies = layer[at], []
                    for layer[at] in (value - h, value + h):
                        energies.append(net.energies(x, y, z).sum())
                    layer[at] = value
                    slope[at] = scale * (energies[1] - energies[0]) / (2 * h)
            assert_all_close(found, slopes, 1e-6)


def perturbed(net, x: np.ndarray) -> list[np.ndarray]:
    """Activities that are nowhere at equilibrium."""
    rng = np.random.default_rng(99)
    return [z + 0.3 * rng.standard_normal(z.shape) for z in net.forward(x)[0]]


def assert_gradients_agree(dtype: str, tolerance: float, **options) -> None:
    net, network, x, y = pair(dtype=dtype, **options)
    z = perturbed(net, x)
    stacks = stacked_by_stage(network, z)
    x_, y_ = jnp.asarray(x, dtype), jnp.asarray(y, dtype)
    local = local_gradient(network, x_, y_, stacks)
    per_example = [gradient * len(x) for gradient in net.activity_gradients(x, y, z)]
    assert_all_close([g for stack in local.gradient for g in stack], per_example, tolerance)
    assert_all_close([e for stack in local.errors for e in stack], net.errors(x, y, z), tolerance)
    found = local_weight_gradient(network, x_, stacks, local.errors)
    assert_all_close([g for stack in found for g in stack], net.weight_gradients(x, y, z), tolerance)


class TestFeedforwardStart:
    """Oracles 2 to 4: at the feedforward start all energy sits at the output."""

    @kinds
    @both_losses
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_only_the_output_has_energy(self, parameterisation: str, skips: bool, loss: str, dtype: str) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "loss": loss, "activation": "tanh"}
        net, network, x, y = pair(dtype=dtype, **options, **PRECISION)
        (energies,) = relax(network, x, y, DESCENT, steps=0).energies
        assert not energies[:-1].any()
        expected = net.precision * net.output_loss(net.forward(x)[1], y)
        assert energies[-1] == pytest.approx(expected, rel=1e-12 if dtype == "float64" else 1e-5)

    @kinds
    @both_losses
    def test_the_first_step_moves_the_top_hidden_layer_alone(
        self, parameterisation: str, skips: bool, loss: str
    ) -> None:
        net, network, x, y = pair(
            parameterisation=parameterisation, skips=skips, loss=loss, activation="tanh", **PRECISION
        )
        before, _ = feedforward(network, x)
        after = relax(network, x, y, DESCENT, steps=1).activities
        for layer, (old, new) in enumerate(zip(before[:-1], after[:-1], strict=True), 1):
            np.testing.assert_array_equal(old, new, err_msg=f"layer {layer}")
        *_, delta, _ = net.backprop(x, y)[2]
        np.testing.assert_allclose(after[-1] - before[-1], 0.3 * net.precision * delta, rtol=1e-10, atol=1e-14)

    @kinds
    def test_without_inference_only_the_last_weights_learn_and_as_in_backpropagation(
        self, parameterisation: str, skips: bool
    ) -> None:
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, activation="tanh")
        *hidden, last = weight_gradients(network, x, y, relax(network, x, y, DESCENT, steps=0))
        assert not any(np.any(gradient) for gradient in hidden)
        np.testing.assert_allclose(last, backprop(network, x, y).gradients[-1], rtol=1e-15)


class TestFront:
    """Oracles 5 and 6: the error travels one layer per step, and starts as backpropagation's."""

    @kinds
    @pytest.mark.parametrize("steps", range(7))
    def test_after_t_steps_the_errors_below_l_minus_t_are_exactly_zero(
        self, parameterisation: str, skips: bool, steps: int
    ) -> None:
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, activation="tanh")
        *hidden, _ = relax(network, x, y, DESCENT, steps=steps).errors
        depth = network.depth
        assert [bool(np.any(e)) for e in hidden] == [l >= depth - steps for l in range(1, depth)]

    @pytest.mark.parametrize("windowed", [False, True])
    @pytest.mark.parametrize("activation", ["relu", "tanh"])
    def test_in_128_hidden_layers_16_steps_reach_exactly_16(self, activation: str, windowed: bool) -> None:
        experiment, x, y = deep(activation, "float64")
        relaxation = relax(build(experiment), x, y, experiment.inference, windowed=windowed)
        *hidden, _ = relaxation.errors
        assert [l for l, e in enumerate(hidden, 1) if np.any(e)] == list(range(113, 129))
        assert [l for l, e in enumerate(relaxation.energies[-1, :-1], 1) if e > 0] == list(range(113, 129))

    @pytest.mark.parametrize("windowed", [False, True])
    @pytest.mark.parametrize("activation", ["relu", "tanh"])
    def test_in_float32_rounding_takes_some_of_these_but_adds_none(self, activation: str, windowed: bool) -> None:
        experiment, x, y = deep(activation, "float32")
        *hidden, _ = relax(build(experiment), x, y, experiment.inference, windowed=windowed).errors
        reached = [l for l, e in enumerate(hidden, 1) if np.any(e)]
        assert min(reached) >= 113
        assert set(range(119, 129)) <= set(reached)

    def test_layers_ahead_of_the_front_get_no_weight_gradient(self) -> None:
        experiment, x, y = deep("tanh", "float32")
        network = build(experiment)
        gradients = weight_gradients(network, x, y, relax(network, x, y, experiment.inference))
        assert not any(np.any(gradient) for gradient in gradients[:112])

    @kinds
    @both_losses
    def test_after_one_step_the_top_hidden_weights_learn_as_in_backpropagation(
        self, parameterisation: str, skips: bool, loss: str
    ) -> None:
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, loss=loss, activation="tanh")
        found = weight_gradients(network, x, y, relax(network, x, y, DESCENT, steps=1))[-2]
        np.testing.assert_allclose(found, 0.3 * backprop(network, x, y).gradients[-2], rtol=1e-11, atol=1e-16)


def deep(activation: str, dtype: str) -> tuple[Experiment, np.ndarray, np.ndarray]:
    """L=129, N=64, T=16, step 0.3, and a batch of 64 like the digits."""
    network = {"depth": 129, "width": 64, "activation": activation}
    inference = {"steps": 16, "step_size": 0.3}
    experiment = Experiment.model_validate({"network": network, "inference": inference, "dtype": dtype})
    rng = np.random.default_rng(0)
    return experiment, rng.standard_normal((64, 64)), np.eye(10)[rng.integers(10, size=64)]


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
        maps = linear.layer_maps(network)
        eigenvalues = np.linalg.eigvalsh(linear.activity_hessian(maps, precision))
        expected = linear.equilibrium(maps, x, y, precision)
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
        largest = np.linalg.eigvalsh(linear.activity_hessian(linear.layer_maps(network)))[-1]
        totals = relax(network, x, y, descent(1 / largest), steps=100).energies.sum(axis=1)
        assert np.all(np.diff(totals) <= 1e-12)

    @kinds
    def test_is_stable_up_to_two_over_the_largest_curvature_and_no_further(
        self, parameterisation: str, skips: bool
    ) -> None:
        """Oracle 16. The targets are chosen so that the first step excites the stiffest direction."""
        _, network, x, _ = pair(parameterisation=parameterisation, skips=skips)
        values, vectors = np.linalg.eigh(linear.activity_hessian(linear.layer_maps(network)))
        top = vectors[-6:, -1]
        y = feedforward(network, x)[1] + 100 * top @ linear.layer_maps(network)[-1].T
        calm, wild = (
            relax(network, x, y, descent(eta / values[-1]), steps=600).energies.sum(axis=1) for eta in (1.9, 2.1)
        )
        assert np.all(np.diff(calm) <= 1e-12 * calm[0])
        assert wild[-1] > 1e3 * wild[0]

    @kinds
    def test_equilibrium_energy_is_between_zero_and_the_loss(self, parameterisation: str, skips: bool) -> None:
        """Oracle 14."""
        net, network, x, y = pair(parameterisation=parameterisation, skips=skips, precision=3.0)
        energy = float(linear.equilibrium_energy(linear.layer_maps(network), x, y, 3.0))
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
        """Methods.md O13. An output that costs nothing is as good as one that is not clamped."""
        _, network, x, y = pair(activation=activation)
        free = Network(network.stages, jnp.zeros(()), network.loss)
        found = relax(free, x, y, descent(0.3, solver), steps=30)
        np.testing.assert_array_equal(found.energies, 0)
        for z, start in zip(found.activities, feedforward(network, x)[0], strict=True):
            np.testing.assert_array_equal(z, start)


class TestErrorBasedInference:
    """Theory.md 3.6 and oracle 7: errors as variables."""

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
        maps = linear.layer_maps(network)
        expected = linear.equilibrium(maps, x, y, net.precision)
        largest = np.linalg.eigvalsh(net.precision * linear.rescaling(maps, net.precision))[-1]
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


class TestLinearTheory:
    @pytest.mark.parametrize("loss_precision", [1.0, 3.0])
    @kinds
    def test_the_hessian_is_that_of_the_energy_by_autodiff(
        self, parameterisation: str, skips: bool, loss_precision: float
    ) -> None:
        """Oracle 8."""
        _, network, x, y = pair(parameterisation=parameterisation, skips=skips, precision=loss_precision, batch=1)
        model, ws = unrolled_model(network), [jnp.asarray(w) for w in weights(network)]

        def energy(z: jax.Array) -> jax.Array:
            return unrolled.energy(model, ws, [part[None] for part in jnp.split(z, 4)], jnp.asarray(x), jnp.asarray(y))

        found = linear.activity_hessian(linear.layer_maps(network), loss_precision)
        np.testing.assert_allclose(found, jax.hessian(energy)(jnp.zeros(24)), rtol=1e-12, atol=1e-13)

    @kinds
    def test_doubling_gamma_quarters_the_rescaling_above_one(self, parameterisation: str, skips: bool) -> None:
        """Oracle 24."""
        once, twice = (
            np.asarray(
                linear.rescaling(linear.layer_maps(pair(parameterisation=parameterisation, skips=skips, gamma=g)[1]))
            )
            for g in (1.0, 2.0)
        )
        np.testing.assert_allclose(twice - np.eye(3), (once - np.eye(3)) / 4, rtol=1e-12, atol=1e-15)


def forward_statistics(depth: int, seeds: int, width: int = 512) -> tuple[np.ndarray, float]:
    """Mean squares of z_1 … z_H and of the output, averaged over seeds: linear, muPC with skips, x of variance one."""
    network = {"depth": depth, "width": width, "activation": "linear"}
    hidden, output = np.zeros(depth - 1), 0.0
    for seed in range(seeds):
        x = np.random.default_rng(seed).standard_normal((64, 256))
        z, f = feedforward(build(Experiment.model_validate({"network": network, "seed": seed}), 256, 64), x)
        hidden += [float(jnp.mean(layer**2)) / seeds for layer in z]
        output += float(jnp.mean(f**2)) / seeds
    return hidden, output


@pytest.mark.parametrize(
    ("depth", "seeds"),
    [(8, 8), pytest.param(32, 8, marks=pytest.mark.slow), pytest.param(128, 4, marks=pytest.mark.slow)],
)
def test_mupc_keeps_activities_of_order_one_and_outputs_of_order_one_over_width(depth: int, seeds: int) -> None:
    """Oracle 21: mean squares (1 + 1/L)^(l - 1) <= e, output q_H / N."""
    hidden, output = forward_statistics(depth, seeds)
    np.testing.assert_allclose(hidden, (1 + 1 / depth) ** np.arange(depth - 1), rtol=0.1)
    assert hidden.max() < np.e * 1.1
    assert output == pytest.approx(hidden[-1] / 512, rel=0.1)


class TestCrossEntropy:
    """Oracle 29."""

    def test_the_output_error_is_target_minus_softmax(self) -> None:
        net, network, x, y = pair(loss="ce", activation="tanh")
        logits = net.forward(x)[1]
        softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        found = relax(network, x, y, DESCENT, steps=0)
        np.testing.assert_allclose(found.errors[-1], y - softmax, rtol=1e-12)
        assert found.energies[0, -1] == pytest.approx(-np.mean(np.sum(y * np.log(softmax), axis=1)), rel=1e-12)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_huge_logits_stay_finite(self, dtype: str) -> None:
        net, network, x, y = pair(loss="ce", dtype=dtype, parameterisation="sp")
        *lower, last = net.weights
        scale = 1e3 / np.abs(net.forward(x)[1]).max()
        network = with_weights(network, [*lower, last * scale])
        logits = feedforward(network, x)[1]
        assert np.abs(logits).max() == pytest.approx(1e3, rel=1e-5)
        found = relax(network, x, y, descent(1e-6), steps=2)
        assert np.isfinite(found.energies).all()
        assert found.energies[0, -1] > 100
        assert all(np.isfinite(g).all() for g in weight_gradients(network, x, y, found))
        assert all(np.isfinite(g).all() for g in backprop(network, x, y).gradients)


class TestReproducibility:
    """Oracle 30."""

    @pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "adam", "error_based"])
    def test_equal_experiments_relax_bitwise_equally(self, solver: str) -> None:
        runs = [relax(*pair(activation="tanh", dtype="float32")[1:], descent(0.05, solver), steps=20) for _ in range(2)]
        np.testing.assert_array_equal(runs[0].energies, runs[1].energies)
        for one, other in zip(runs[0].activities, runs[1].activities, strict=True):
            np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize(
        ("solver", "loss"), [("gradient_descent", "ce"), ("momentum", "mse"), ("adam", "mse"), ("error_based", "mse")]
    )
    def test_a_doubled_batch_changes_no_example_and_no_weight_gradient(self, solver: str, loss: str) -> None:
        """The step size is per example: activities do not depend on the batch they are in."""
        _, network, x, y = pair(activation="tanh", loss=loss)
        x2, y2 = np.concatenate([x, x]), np.concatenate([y, y])
        once = relax(network, x, y, descent(0.05, solver), steps=20)
        twice = relax(network, x2, y2, descent(0.05, solver), steps=20)
        np.testing.assert_allclose(twice.energies, once.energies, rtol=1e-10, atol=1e-20)
        assert_all_close([z[:4] for z in twice.activities], arrays(once.activities), 1e-13)
        assert_all_close([z[4:] for z in twice.activities], arrays(once.activities), 1e-13)
        gradients = arrays(weight_gradients(network, x, y, once))
        assert_all_close(weight_gradients(network, x2, y2, twice), gradients, 1e-12)


class Trained:
    """Weight steps of an experiment on given batches x, y (steps, B, ·), from given or fresh weights."""

    def __init__(self, experiment: Experiment, network: Network, x: np.ndarray, y: np.ndarray, **plan: bool) -> None:
        count, batch, _ = x.shape
        self.method = learning.method_of(experiment, **plan)
        self.numbers = learning.numbers_of(experiment, padded_rows(np.arange(experiment.inference_steps + 1)))
        slots = learning.fresh_slots(self.method, network, self.numbers)
        data = (jnp.asarray(a.reshape(count * batch, -1), network.dtype) for a in (x, y))
        batches = learning.Batches(*data, jnp.arange(count * batch).reshape(count, batch))
        keys = jax.vmap(jax.random.key)(np.arange(count))
        self.network, self.slots, self.report, self.losses, self.done = learning.weight_steps(
            self.method, network, slots, batches, jnp.asarray(count), self.numbers, keys
        )


def training(rule: str, optimiser: str = "sgd", dtype: str = "float64", steps: int = 3, **network) -> Experiment:
    return Experiment.model_validate(
        {
            "network": {"depth": 5, "width": 6, "activation": "tanh", **network},
            "inference": {"steps": steps, "step_size": 0.2},
            "learning": {"rule": rule, "optimiser": optimiser, "learning_rate": 0.1},
            "dtype": dtype,
        }
    )


class TestLearning:
    @pytest.mark.parametrize("windowed", [False, True])
    def test_predictive_coding_steps_are_numpys(self, windowed: bool) -> None:
        net, network, x, y = pair(activation="tanh", batch=12)
        x, y = x.reshape(3, 4, -1), y.reshape(3, 4, -1)
        found, losses = Trained(training("pc", steps=7), network, x, y, windowed=windowed), []
        for batch in zip(x, y, strict=True):
            losses.append(net.output_loss(net.forward(batch[0])[1], batch[1]))
            gradients = net.weight_gradients(*batch, net.relax(*batch, 0.2, 7).activities)
            net.weights[:] = [w - 0.1 * g for w, g in zip(net.weights, gradients, strict=True)]
        np.testing.assert_allclose(found.losses, losses, rtol=1e-11)
        assert_all_close(weights(found.network), net.weights, 1e-12)

    @pytest.mark.parametrize("windowed", [False, True])
    def test_adam_steps_are_those_of_the_unrolled_network(self, windowed: bool) -> None:
        _, network, x, y = pair(activation="tanh", batch=12)
        x, y = x.reshape(3, 4, -1), y.reshape(3, 4, -1)
        optimiser = optax.adam(0.1)
        plain = unrolled.make_training_step(unrolled_model(network), optimiser, 0.2, 9)
        ws = [jnp.array(w) for w in weights(network)]
        slots, losses = optimiser.init(ws), []
        for batch in zip(x, y, strict=True):
            ws, slots, loss = plain(ws, slots, *map(jnp.asarray, batch))
            losses.append(float(loss))
        found = Trained(training("pc", "adam", steps=9), network, x, y, windowed=windowed)
        np.testing.assert_allclose(found.losses, losses, rtol=1e-9)
        assert_all_close(weights(found.network), arrays(ws), 1e-9)

    def test_backpropagation_steps_are_numpys(self) -> None:
        net, network, x, y = pair(activation="tanh", batch=12)
        x, y = x.reshape(3, 4, -1), y.reshape(3, 4, -1)
        found = Trained(training("bp"), network, x, y)
        for batch in zip(x, y, strict=True):
            gradients = net.backprop(*batch)[1]
            net.weights[:] = [w - 0.1 * g for w, g in zip(net.weights, gradients, strict=True)]
        assert_all_close(weights(found.network), net.weights, 1e-12)

    def test_incremental_steps_are_numpys(self) -> None:
        """iPC (theory.md 3.5): activities and weights step together, both from the old values."""
        net, network, x, y = pair(activation="tanh", batch=8)
        x, y = x.reshape(2, 4, -1), y.reshape(2, 4, -1)
        found = Trained(training("ipc", steps=9), network, x, y)
        for batch in zip(x, y, strict=True):
            z = net.forward(batch[0])[0]
            for _ in range(9):
                of_weights, of_activities = net.weight_gradients(*batch, z), net.activity_gradients(*batch, z)
                z = [a - 0.2 * 4 * g for a, g in zip(z, of_activities, strict=True)]
                net.weights[:] = [w - 0.1 * g for w, g in zip(net.weights, of_weights, strict=True)]
        assert_all_close(weights(found.network), net.weights, 1e-11)

    @pytest.mark.parametrize("optimiser", ["sgd", "adam"])
    @pytest.mark.parametrize("steps", [1, 3, 5])
    def test_incremental_weights_wait_for_the_front(self, steps: int, optimiser: str) -> None:
        """W_l moves at step t only if t >= L - l: nothing below, not even by the noise that Adam would magnify."""
        _, network, x, y = pair(activation="tanh", depth=9)
        before = arrays(weights(network))
        found = Trained(training("ipc", optimiser, steps=steps, depth=9), network, x[None], y[None])
        moved = [not np.array_equal(old, new) for old, new in zip(before, weights(found.network), strict=True)]
        assert moved == [l > 9 - steps for l in range(1, 10)]
        hidden_slots = jax.tree.leaves(found.slots[1])
        idle = 9 - steps - 1
        assert not any(np.any(np.asarray(leaf)[:idle]) for leaf in hidden_slots if np.ndim(leaf))

    @pytest.mark.parametrize(("rule", "optimiser"), [("pc", "adam"), ("ipc", "adamw"), ("bp", "sgd")])
    def test_a_float32_network_trains_without_a_float64_leaf(self, rule: str, optimiser: str) -> None:
        _, network, x, y = pair(activation="tanh", dtype="float32")
        found = Trained(training(rule, optimiser, "float32"), network, x[None], y[None])
        leaves = jax.tree.leaves((found.network, found.slots))
        assert {str(leaf.dtype) for leaf in leaves} <= {"float32", "int32"}

    @pytest.mark.parametrize("rule", ["pc", "ipc", "bp"])
    def test_training_is_bitwise_repeatable(self, rule: str) -> None:
        _, _, x, y = pair(activation="tanh", batch=12)
        x, y = x.reshape(3, 4, -1), y.reshape(3, 4, -1)
        runs = [
            Trained(training(rule, "adam", "float32"), pair(activation="tanh", dtype="float32")[1], x, y)
            for _ in range(2)
        ]
        np.testing.assert_array_equal(runs[0].losses, runs[1].losses)
        for one, other in zip(weights(runs[0].network), weights(runs[1].network), strict=True):
            np.testing.assert_array_equal(one, other)


@both_losses
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_networks_hold_and_compute_float32(activation: str, loss: str) -> None:
    _, network, x, y = pair(activation=activation, loss=loss, dtype="float32", gamma=1.3, precision=3.0)

    def layers(network: Network, x: jax.Array, y: jax.Array) -> list[jax.Array]:
        activities, output = forward(network, x)
        local = activity_gradient(network, x, y, activities)
        gradients = weight_gradient(network, x, activities, local.errors)
        return jax.tree.leaves((activities, output, local, gradients))

    shapes = jax.eval_shape(layers, network, jnp.asarray(x, "float32"), jnp.asarray(y, "float32"))
    assert {str(leaf.dtype) for leaf in [*jax.tree.leaves(network), *shapes]} == {"float32"}


@pytest.mark.parametrize("solver", ["gradient_descent", "momentum", "adam", "error_based"])
def test_float32_relaxations_end_in_float32(solver: str) -> None:
    _, network, x, y = pair(activation="tanh", dtype="float32")
    relaxation = relax(network, x, y, descent(0.05, solver), steps=20)
    layers = [*relaxation.activities, *relaxation.errors, *weight_gradients(network, x, y, relaxation)]
    assert {str(layer.dtype) for layer in layers} == {"float32"}
    assert relaxation.energies.dtype == np.float64


@pytest.mark.parametrize("initial", ["zero", "normal"])
@pytest.mark.parametrize("solver", ["gradient_descent", "error_based"])
def test_other_starts_end_at_the_same_equilibrium(initial: str, solver: str) -> None:
    _, network, x, y = pair(parameterisation="mupc", depth=4)
    maps = linear.layer_maps(network)
    inference = Inference(solver=solver, initial=initial, step_size=0.3, steps=0)
    found = relax(network, x, y, inference, steps=2000)
    assert found.energies[0, :-1].any()
    assert_all_close(found.activities, linear.equilibrium(maps, x, y).activities, 1e-9)


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
