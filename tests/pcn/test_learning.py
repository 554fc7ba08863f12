"""Weight steps by every rule are numpy's, repeatable, and blind to the order of examples (theory.md 8)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from benchmarks import reference as unrolled
from pcviz.experiment import Experiment
from pcviz.pcn import (
    Network,
    learning,
    relax,
    weight_gradients,
    weights,
)
from pcviz.pcn.trace import padded_rows
from tests.pcn.learned import gradients, relative
from tests.pcn.pairs import pair
from tests.pcn.theory import arrays, assert_all_close, descent, unrolled_model


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
        rows = experiment.inference_steps + 1
        self.numbers = learning.numbers_of(experiment, padded_rows(np.arange(rows), rows))
        slots = learning.fresh_slots(self.method, network, self.numbers)
        data = (jnp.asarray(a.reshape(count * batch, -1), network.dtype) for a in (x, y))
        batches = learning.Batches(*data, jnp.arange(count * batch).reshape(count, batch), jnp.zeros(count, bool))
        keys = jax.vmap(jax.random.key)(np.arange(count))
        self.network, self.slots, self.report, self.course, self.done = learning.weight_steps(
            self.method, network, slots, batches, jnp.asarray(count), self.numbers, keys
        )


def training(rule: str, optimiser: str = "sgd", dtype: str = "float64", steps: int = 3, **network) -> Experiment:
    return Experiment.model_validate(
        {
            "network": {"depth": 5, "width": 6, "activation": "tanh", **network},
            "inference": {"solver": "gradient_descent", "steps": steps, "step_size": 0.2},
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
        np.testing.assert_allclose(found.course.losses, losses, rtol=1e-11)
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
        np.testing.assert_allclose(found.course.losses, losses, rtol=1e-9)
        assert_all_close(weights(found.network), arrays(ws), 1e-9)

    @pytest.mark.parametrize("rule", ["bp", "ipc"])
    def test_each_layer_has_its_own_rate(self, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
        net, network, x, y = pair(activation="tanh")
        rates = [0.1, 0.02, 0.3, 0.05, 0.2]
        monkeypatch.setattr(Experiment, "learning_rates", rates)
        found = Trained(training(rule, steps=4), network, x[None], y[None])
        if rule == "bp":
            net.weights[:] = [w - r * g for w, r, g in zip(net.weights, rates, net.backprop(x, y)[1], strict=True)]
        else:
            z = net.forward(x)[0]
            for _ in range(4):
                of_weights, of_activities = net.weight_gradients(x, y, z), net.activity_gradients(x, y, z)
                z = [a - 0.2 * 4 * g for a, g in zip(z, of_activities, strict=True)]
                net.weights[:] = [w - r * g for w, r, g in zip(net.weights, rates, of_weights, strict=True)]
        assert_all_close(weights(found.network), net.weights, 1e-12)

    @pytest.mark.parametrize("windowed", [False, True])
    @pytest.mark.parametrize(
        "method",
        [
            {"learning.rule": "zil"},
            {"learning.rule": "fixed_prediction"},
            {"learning.rule": "strict"},
            {"learning.forward_update": True, "inference.precision_schedule": "spiking"},
            {"learning.forward_update": True, "inference.solver": "momentum"},
            {"inference.precision_schedule": "decaying", "inference.precision_decay": 0.5},
            {"inference.precision_schedule": "decaying_normalised"},
            {"inference.nudging": "centred"},
            {"inference.nudging": "negative", "inference.output_clamp": "hard"},
            {"inference.activity_decay": 0.2, "learning.forward_update": True},
        ],
    )
    def test_methods_move_weights_by_their_gradient(self, method: dict, windowed: bool) -> None:
        experiment = training("pc", steps=7).changed(method)
        _, network, x, y = pair(activation="tanh")
        found = Trained(experiment, network, x[None], y[None], windowed=windowed)
        options = experiment.inference.model_dump(exclude={"steps"})
        expected = gradients(network, x, y, 7, experiment.learning, **options)
        moved = [(before - after) / 0.1 for before, after in zip(weights(network), weights(found.network), strict=True)]
        assert relative(moved, expected).max() < 1e-9
        assert found.report.finite

    @pytest.mark.parametrize("rule", ["pc", "bp"])
    def test_layers_move_as_many_times_as_far_as_their_factors_say(self, rule: str) -> None:
        _, network, x, y = pair(activation="tanh")
        before, factors = arrays(weights(network)), [8, 4, 2, 1, 0.5]
        plain, scaled = (
            Trained(training(rule, steps=7).changed({"learning.layer_rates": text}), network, x[None], y[None])
            for text in ("1", "8, 0.5")
        )
        for w, one, other, factor in zip(before, weights(plain.network), weights(scaled.network), factors, strict=True):
            np.testing.assert_allclose(other - w, factor * (one - w), rtol=1e-9, atol=1e-14)

    @pytest.mark.parametrize("optimiser", ["sgd", "adam"])
    def test_a_factor_of_one_changes_no_bit(self, optimiser: str) -> None:
        _, network, x, y = pair(activation="tanh", dtype="float32")
        default = training("pc", optimiser, "float32")
        runs = [
            Trained(default.changed({"learning.layer_rates": text}), network, x[None], y[None])
            for text in ("1", "1,1,1", "1.0")
        ]
        runs.append(Trained(default, network, x[None], y[None]))
        for one, *others in zip(*(weights(run.network) for run in runs), strict=True):
            assert all(np.array_equal(one, other) for other in others)

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
        np.testing.assert_array_equal(runs[0].course.losses, runs[1].course.losses)
        for one, other in zip(weights(runs[0].network), weights(runs[1].network), strict=True):
            np.testing.assert_array_equal(one, other)
