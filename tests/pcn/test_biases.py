"""Biases: gradients, the start, the closed form, how they learn; and that networks without them stay as they were."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.experiment import cost, from_paths
from pcviz.experiment.rules import RULES
from pcviz.pcn import Network, backprop, build, feedforward, learning, linear, relax, weights, with_weights
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, weight_gradient
from pcviz.pcn.network import flat_weights, stacked_weights, with_flat_weights
from pcviz.pcn.stacks import unstack, vector
from pcviz.pcn.trace import padded_rows
from tests.crossed import crossed
from tests.pcn.biased import INPUTS, OUTPUTS, biased, energy, layers_of, random_activities
from tests.pcn.theory import both_losses, descent

KINDS = pytest.mark.parametrize(
    ("parameterisation", "skips", "depth"), [("mupc", True, 5), ("sp", False, 5), ("ntp", True, 3), ("mupc", True, 2)]
)


class TestGradients:
    @both_losses
    @KINDS
    def test_are_those_of_the_energy(self, parameterisation: str, skips: bool, depth: int, loss: str) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "depth": depth, "loss": loss}
        _, network, x, y = biased(**options, output_precision=3.0, gamma=1.3)
        z = random_activities(network)
        local = activity_gradient(network, x, y, z)
        slopes = jax.grad(energy, (1, 2))(network, layers_of(network), unstack(z), x, y)
        for found, expected in zip(unstack(local.gradient), slopes[1], strict=True):
            np.testing.assert_allclose(found, len(x) * expected, rtol=1e-10, atol=1e-13)
        for found, expected in zip(unstack(weight_gradient(network, x, z, local.errors)), slopes[0], strict=True):
            for part in ("weight", "bias"):
                np.testing.assert_allclose(found[part], expected[part], rtol=1e-10, atol=1e-13)

    def test_are_the_slopes_of_the_energy(self) -> None:
        """Central differences in every bias."""
        _, network, x, y = biased(output_precision=3.0)
        z, h = random_activities(network), 1e-5
        found = unstack(weight_gradient(network, x, z, activity_gradient(network, x, y, z).errors))
        for l, layer in enumerate(layers_of(network)):
            for unit in range(len(layer["bias"])):
                ends = []
                for shift in (h, -h):
                    moved = {**layer, "bias": layer["bias"].at[unit].add(shift)}
                    layers = [moved if k == l else other for k, other in enumerate(layers_of(network))]
                    ends.append(float(energy(network, layers, unstack(z), x, y)))
                assert found[l]["bias"][unit] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-7, abs=1e-9)

    @pytest.mark.parametrize("parameterisation", ["sp", "mupc"])
    def test_of_a_bias_is_minus_the_mean_of_its_signals(self, parameterisation: str) -> None:
        """d_l = e_l, d_L = lambda e_L; no premultiplier."""
        _, network, x, y = biased(parameterisation=parameterisation, output_precision=3.0)
        z = random_activities(network)
        *hidden, output = unstack(activity_gradient(network, x, y, z).errors)
        gradients = unstack(weight_gradient(network, x, z, activity_gradient(network, x, y, z).errors))
        for gradient, signal in zip(gradients, [*hidden, 3.0 * output], strict=True):
            np.testing.assert_allclose(gradient["bias"], -np.mean(signal, axis=0), rtol=1e-12, atol=1e-15)

    @both_losses
    def test_backpropagations_are_those_of_the_loss(self, loss: str) -> None:
        _, network, x, y = biased(loss=loss)
        found = backprop(network, x, y)

        def of(flat: jax.Array) -> jax.Array:
            output = forward(with_flat_weights(network, flat), x)[1]
            if loss == "mse":
                return 0.5 * jnp.mean(jnp.sum((y - output) ** 2, -1))
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(output), -1))

        expected = jax.grad(of)(jnp.asarray(flat_weights(network)))
        np.testing.assert_allclose(
            flat_weights(with_weights(network, found.gradients)), expected, rtol=1e-10, atol=1e-13
        )


class TestStart:
    def test_is_that_of_the_network_without_biases(self) -> None:
        for dtype in ("float32", "float64"):
            plain = build(from_paths({"network.depth": 5, "network.width": 8, "dtype": dtype}))
            made = build(from_paths({"network.depth": 5, "network.width": 8, "dtype": dtype, "network.biases": True}))
            x = np.random.default_rng(0).standard_normal((3, 64))
            for layer, matrix in zip(weights(made), weights(plain), strict=True):
                np.testing.assert_array_equal(layer["weight"], matrix)
                assert not np.any(layer["bias"]) and layer["bias"].shape == matrix.shape[:1]
                assert layer["bias"].dtype == matrix.dtype == dtype
            np.testing.assert_array_equal(feedforward(made, x)[1], feedforward(plain, x)[1])
            assert (made.has_biases, plain.has_biases) == (True, False)

    def test_without_biases_weights_are_plain_arrays_and_nothing_else_is_learned(self) -> None:
        plain = build(from_paths({"network.depth": 5, "network.width": 8}))
        assert [np.shape(stack) for stack in stacked_weights(plain)] == [(1, 8, 64), (3, 8, 8), (1, 10, 8)]
        assert len(jax.tree.leaves(plain)) == 2 * len(plain.stages) + 1  # weights, premultipliers, precision

    @pytest.mark.parametrize("depth", [2, 5])
    def test_the_number_of_weights_is_known_before(self, depth: int) -> None:
        experiment = from_paths({"network.depth": depth, "network.width": 8, "network.biases": True})
        assert flat_weights(build(experiment)).size == cost.parameter_count(experiment)

    def test_weights_that_do_not_fit_are_refused(self) -> None:
        _, network, _, _ = biased()
        own = weights(network)
        np.testing.assert_array_equal(flat_weights(with_weights(network, own)), flat_weights(network))
        with pytest.raises(ValueError, match=r"W_1 has shape \(6, 7\), needed is {'bias': \(6,\), 'weight': \(6, 7\)}"):
            with_weights(network, [own[0]["weight"], *own[1:]])


class TestLinear:
    @KINDS
    def test_the_closed_form_solves_the_dense_system(self, parameterisation: str, skips: bool, depth: int) -> None:
        options = {"parameterisation": parameterisation, "skips": skips, "depth": depth, "activation": "linear"}
        _, network, x, y = biased(**options, output_precision=3.0)
        found, shapes = linear.equilibrium(network, x, y), [(len(x), 6)] * (depth - 1)

        def of(flat: jax.Array) -> jax.Array:
            z = [part.reshape(shape) for part, shape in zip(jnp.split(flat, depth - 1), shapes, strict=True)]
            return energy(network, layers_of(network), z, x, y)

        zero = jnp.zeros(6 * len(x) * (depth - 1))
        expected = -np.linalg.solve(jax.hessian(of)(zero), jax.grad(of)(zero))
        np.testing.assert_allclose(vector(unstack(found.activities)), expected, rtol=1e-9, atol=1e-11)
        assert float(found.energy) == pytest.approx(float(of(jnp.asarray(expected))), rel=1e-11)
        assert float(np.sum(found.energies)) == pytest.approx(float(found.energy), rel=1e-11)
        assert float(linear.least_energy(network, x, y)) == pytest.approx(float(found.energy), rel=1e-12)

    def test_biases_shift_the_residual_and_leave_the_rescaling(self) -> None:
        """F* = 1/2 <r S^-1 r>: S is that of the matrices alone, r = y - mu_L."""
        _, network, x, y = biased(activation="linear")
        plain = from_paths({"network.depth": 5, "network.width": 6, "network.activation": "linear", "dtype": "float64"})
        bare = with_weights(build(plain, INPUTS, OUTPUTS), [layer["weight"] for layer in layers_of(network)])
        s = [linear.rescaling(linear.output_jacobians(linear.layer_maps(one))) for one in (network, bare)]
        np.testing.assert_array_equal(*s)
        r = np.asarray(y - forward(network, x)[1])
        expected = 0.5 * np.mean(np.sum(r * np.linalg.solve(s[0], r.T).T, -1))
        assert float(linear.least_energy(network, x, y)) == pytest.approx(expected, rel=1e-12)
        assert float(linear.least_energy(bare, x, y)) != pytest.approx(expected, rel=1e-3)

    def test_what_biases_learn_at_equilibrium_is_the_slope_of_the_least_energy(self) -> None:
        """Envelope theorem: the local gradient at z* is dF*/db and dF*/dW."""
        _, network, x, y = biased(activation="linear", output_precision=3.0)
        at = linear.equilibrium(network, x, y)
        local = flat_weights(with_weights(network, unstack(weight_gradient(network, x, at.activities, at.errors))))
        flat = jnp.asarray(flat_weights(network))
        slope = jax.grad(lambda w: linear.least_energy(with_flat_weights(network, w), x, y))(flat)
        np.testing.assert_allclose(local, slope, rtol=1e-9, atol=1e-12)


class TestInference:
    def test_error_based_inference_settles_where_gradient_descent_does(self) -> None:
        _, network, x, y = biased()
        descended = relax(network, x, y, descent(0.2), 4000)
        error_based = relax(network, x, y, descent(0.3, "error_based"), 400)
        for one, other in zip(descended.activities, error_based.activities, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)
        np.testing.assert_allclose(descended.energies[-1], error_based.energies[-1], rtol=1e-7)

    def test_one_error_based_step_has_backpropagations_signals(self) -> None:
        """Hidden biases learn what backpropagation teaches them (theory.md 3.6)."""
        _, network, x, y = biased()
        signals = relax(network, x, y, descent(1.0, "error_based"), 1).errors[:-1]
        expected = backprop(network, x, y)
        for signal, delta, gradient in zip(signals, expected.deltas, expected.gradients, strict=False):
            np.testing.assert_allclose(signal, delta, rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(-np.mean(signal, 0), gradient["bias"], rtol=1e-10, atol=1e-13)

    @pytest.mark.parametrize("steps", [0, 1, 3])
    def test_layers_that_no_error_has_reached_have_none_at_all(self, steps: int) -> None:
        _, network, x, y = biased(depth=9)
        errors = relax(network, x, y, descent(0.3), steps).errors
        assert [bool(np.any(e)) for e in errors] == [l >= 9 - steps for l in range(1, 10)]


def trained(network: Network, x: jax.Array, y: jax.Array, steps: int = 1, **changes: Any) -> Network:
    """The network after weight steps on one batch; `changes` by section and name: learning__rule."""
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    base = {"network.depth": network.depth, "network.width": 6, "network.biases": True, "dtype": str(network.dtype)}
    experiment = from_paths({**base, "learning.batch_size": len(x), "inference.steps": 6, **paths})
    method = learning.method_of(experiment)
    numbers = learning.numbers_of(experiment, jnp.asarray(padded_rows(np.arange(0), 0)))
    batches = learning.Batches(x, y, jnp.tile(jnp.arange(len(x), dtype=jnp.int32), (steps, 1)), jnp.zeros(steps, bool))
    keys = jax.vmap(jax.random.key)(jnp.arange(steps))
    slots = learning.fresh_slots(method, network, numbers)
    return learning.weight_steps(method, network, slots, batches, steps, numbers, keys)[0]


def moved(before: Network, after: Network, part: str) -> np.ndarray:
    return vector([b[part] - a[part] for a, b in zip(weights(before), weights(after), strict=True)])


class TestLearning:
    @pytest.mark.parametrize(("rule", "optimiser"), crossed(RULES, ["sgd", "adam", "adamw"]))
    def test_scaling_of_rates_and_decay_are_for_matrices_alone(self, rule: str, optimiser: str) -> None:
        _, network, x, y = biased()
        same = {"learning__rule": rule, "learning__optimiser": optimiser, "inference__steps": 1}
        plain = trained(network, x, y, **same)
        other = trained(network, x, y, **same, learning__lr_scaling="width_depth", learning__weight_decay=0.5)
        np.testing.assert_array_equal(moved(network, other, "bias"), moved(network, plain, "bias"))
        assert np.abs(moved(network, other, "weight") - moved(network, plain, "weight")).max() > 1e-4

    def test_biases_learn_at_the_base_rate(self) -> None:
        _, network, x, y = biased()
        scaled = {"learning__learning_rate": 0.02, "learning__lr_scaling": "width_depth"}
        gradient = backprop(network, x, y).gradients
        rule = {"learning__rule": "bp", **scaled}
        found = trained(network, x, y, learning__optimiser="sgd", **rule)
        expected = -0.02 * vector([g["bias"] for g in gradient])
        np.testing.assert_allclose(moved(network, found, "bias"), expected, rtol=1e-9, atol=1e-15)
        found = trained(network, x, y, learning__optimiser="adam", **rule)
        np.testing.assert_allclose(moved(network, found, "bias"), 0.02 * np.sign(expected), rtol=1e-3)

    def test_several_adam_steps_are_those_of_each_array_by_itself(self) -> None:
        """Adam works entry by entry: biases of rate r learn as a network whose every weight has rate r would."""
        _, network, x, y = biased()
        found = trained(network, x, y, 5, learning__learning_rate=0.02)
        expected = trained(network, x, y, 5, learning__learning_rate=0.02, network__biases=False)
        np.testing.assert_allclose(flat_weights(found), flat_weights(expected), rtol=1e-12)

    @pytest.mark.parametrize("optimiser", ["sgd", "adam"])
    def test_biases_wait_for_the_front_in_ipc(self, optimiser: str) -> None:
        _, network, x, y = biased(depth=9)
        changes = {"learning__rule": "ipc", "learning__optimiser": optimiser, "inference__steps": 3}
        after = trained(network, x, y, **changes)
        pairs = zip(weights(network), weights(after), strict=True)
        found = [not np.array_equal(a["bias"], b["bias"]) for a, b in pairs]
        assert found == [l > 9 - 3 for l in range(1, 10)]

    @pytest.mark.parametrize("rule", RULES)
    def test_a_float32_network_stays_one(self, rule: str) -> None:
        _, network, x, y = biased()
        single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (network, x, y))
        after = trained(*single, 2, learning__rule=rule, learning__weight_decay=0.1)
        assert {str(leaf.dtype) for leaf in jax.tree.leaves(after)} == {"float32"}
