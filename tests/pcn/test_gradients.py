"""Local gradients are the slopes of the energy, in numpy, by autodiff and here (theory.md 8)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import reference as unrolled
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.gradients import activity_gradient, weight_gradient
from tests.pcn.pairs import pair, stacked_by_stage
from tests.pcn.theory import PRECISION, assert_all_close, both_losses, kinds, unrolled_model

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
        """Central differences of F in every activity and every weight."""
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
