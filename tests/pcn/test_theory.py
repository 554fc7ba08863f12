"""Networks obey the rest of their theory: linear closed forms, scales, cross-entropy, formats (theory.md 8)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import reference as unrolled
from pcviz.experiment import Experiment
from pcviz.pcn import (
    Network,
    backprop,
    build,
    feedforward,
    relax,
    weight_gradients,
    weights,
    with_weights,
)
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, weight_gradient
from tests.pcn import maps as maps_of
from tests.pcn.pairs import pair
from tests.pcn.theory import DESCENT, both_losses, descent, kinds, unrolled_model


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

        found = maps_of.activity_hessian(maps_of.layer_maps(network), loss_precision)
        np.testing.assert_allclose(found, jax.hessian(energy)(jnp.zeros(24)), rtol=1e-12, atol=1e-13)

    @kinds
    def test_doubling_gamma_quarters_the_rescaling_above_one(self, parameterisation: str, skips: bool) -> None:
        """Oracle 24."""
        once, twice = (
            np.asarray(
                maps_of.rescaling(maps_of.layer_maps(pair(parameterisation=parameterisation, skips=skips, gamma=g)[1]))
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
