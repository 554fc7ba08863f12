"""The output error moves back one layer per step; what is ahead of it is exactly zero (theory.md 8)."""

import numpy as np
import pytest

from pcviz.experiment.presets import PRESETS
from pcviz.pcn import (
    backprop,
    build,
    feedforward,
    relax,
    weight_gradients,
)
from tests.pcn.pairs import pair
from tests.pcn.theory import DESCENT, PRECISION, both_losses, deep, kinds


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


def test_the_preset_with_errors_as_variables_reaches_every_layer_in_steps_that_reach_few_by_activities() -> None:
    preset = PRESETS["errors-128"].experiment.changed({"network.depth": 20, "network.width": 8})
    x, y = np.ones((4, 64)), np.eye(4, 10)
    network, steps = build(preset), preset.inference_steps
    by_errors = relax(network, x, y, preset.inference).energies[-1]
    by_activities = relax(network, x, y, preset.changed({"inference.solver": "momentum"}).inference).energies[-1]
    assert (by_errors > 0).all()
    assert not by_activities[: -1 - steps].any()
    assert by_errors.sum() < by_activities.sum()


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
