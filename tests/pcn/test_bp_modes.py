"""Where predictive coding equals backpropagation, and where it does not (theory.md 5)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.experiment import Inference
from pcviz.pcn import Network, backprop, bp_modes, relax
from pcviz.pcn.feedforward import forward
from tests.pcn.pairs import pair

SMOOTH = ("tanh", "gelu", "linear")


def relative(found: list, expected: list) -> np.ndarray:
    """Norm of the difference of every layer, relative to the expected one's."""
    assert len(found) == len(expected)
    return np.array(
        [np.linalg.norm(np.asarray(a) - b) / np.linalg.norm(b) for a, b in zip(found, expected, strict=True)]
    )


def problem(activation: str = "tanh", **options) -> tuple[Network, np.ndarray, np.ndarray]:
    _, network, x, y = pair(1, activation=activation, **options)
    return network, x, y


class TestFixedPrediction:
    @pytest.mark.parametrize("activation", SMOOTH)
    def test_as_many_sweeps_as_layers_are_backpropagation(self, activation: str) -> None:
        network, x, y = problem(activation)
        expected = backprop(network, x, y)
        for sweeps in range(network.depth + 3):
            found = bp_modes.fixed_prediction(network, x, y, sweeps=sweeps)
            error = relative(found.signals, expected.deltas)
            if sweeps < network.depth - 1:
                assert error.max() == 1.0, "the signal must still be on its way"
            else:
                assert error.max() < 1e-14
                assert relative(found.gradients, expected.gradients).max() < 1e-14

    @pytest.mark.parametrize("step_size", [0.1, 0.5])
    def test_any_stable_step_size_converges_to_backpropagation(self, step_size: float) -> None:
        network, x, y = problem()
        found = bp_modes.fixed_prediction(network, x, y, step_size=step_size, sweeps=800)
        assert relative(found.gradients, backprop(network, x, y).gradients).max() < 1e-12

    def test_cross_entropy_too(self) -> None:
        network, x, y = problem(loss="ce")
        found = bp_modes.fixed_prediction(network, x, y, sweeps=4)
        assert relative(found.gradients, backprop(network, x, y).gradients).max() < 1e-14


class TestZeroDivergence:
    @pytest.mark.parametrize("activation", SMOOTH)
    def test_step_size_one_is_backpropagation(self, activation: str) -> None:
        network, x, y = problem(activation)
        found = bp_modes.zero_divergence(network, x, y)
        assert relative(found.gradients, backprop(network, x, y).gradients).max() < 1e-13

    def test_smaller_step_sizes_shrink_the_gradient_once_a_layer(self) -> None:
        network, x, y = problem()
        found = bp_modes.zero_divergence(network, x, y, step_size=0.5)
        error = relative(found.gradients, backprop(network, x, y).gradients)
        np.testing.assert_allclose(error, 1 - 0.5 ** np.arange(network.depth - 1, -1, -1), rtol=1e-10, atol=1e-14)


class TestFront:
    def test_first_errors_are_shrunken_deltas(self) -> None:
        network, x, y = problem("tanh")
        deltas, depth = backprop(network, x, y).deltas, network.depth
        for t in range(1, depth):
            errors = relax(network, x, y, Inference(step_size=0.1, steps=0), t).errors
            assert all(not np.any(errors[l - 1]) for l in range(1, depth - t)), "ahead of the front: exactly zero"
            assert relative([errors[depth - t - 1]], [0.1**t * deltas[depth - t - 1]]).max() < 1e-10


class TestErrorBased:
    def test_the_first_step_sends_deltas_everywhere(self) -> None:
        network, x, y = problem()
        for step_size in (1.0, 0.01):
            solution = solve("error_based", network, x, y, step_size=step_size, steps=1)
            deltas = backprop(network, x, y).deltas
            assert relative(solution.errors[:-1], [step_size * d for d in deltas[:-1]]).max() < 1e-14

    def test_gradients_tend_to_backpropagation_with_the_step_size(self) -> None:
        network, x, y = problem()
        expected, errors = backprop(network, x, y).gradients, []
        for step_size in (1e-2, 1e-4):
            solution = solve("error_based", network, x, y, step_size=step_size, steps=1)
            found = bp_modes.weight_gradient(network, jnp.asarray(x), *solution.settled[:2])
            layers = [g for stack in found for g in stack]
            layers = [g / step_size for g in layers[:-1]] + layers[-1:]
            errors.append(relative(layers, expected).max())
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


class TestSoftNudge:
    def test_one_sided_error_is_linear_and_centred_error_quadratic(self) -> None:
        network, x, y = problem(depth=3)
        expected = backprop(network, x, y).gradients
        for nudge, ratio, margin in ((bp_modes.soft_nudge, 10, 1.5), (bp_modes.centred_nudge, 100, 15)):
            large, small = (
                relative(nudge(network, x, y, strength=beta).gradients, expected).max() for beta in (0.01, 0.001)
            )
            assert large / small == pytest.approx(ratio, abs=margin)
            assert small < 0.02

    def test_no_nudge_is_refused(self) -> None:
        with pytest.raises(ValueError, match="strength: 0"):
            bp_modes.soft_nudge(*problem(), strength=0)


def test_the_clamped_nudge_tends_to_the_linearised_equilibrium_not_to_backpropagation() -> None:
    network, x, y = problem(depth=4)
    strength = 1e-5
    target = bp_modes.clamped_nudge(network, x, y, strength=strength)
    solution = solve("gauss_newton", network, x, target, steps=8)
    zeros = jax.tree.map(jnp.zeros_like, forward(network, x)[0])
    jacobian = jax.jit(jax.jacrev(lambda e: forward(network, x, e)[1]))(zeros)
    residual = y - forward(network, jnp.asarray(x))[1]
    blocks = [np.einsum("bklbn->lbkn", np.asarray(stack)) for stack in jacobian]
    layers = [block for stack in blocks for block in stack]
    s = np.eye(3) + sum(g @ g.transpose(0, 2, 1) for g in layers)
    u = np.linalg.solve(s, np.asarray(residual)[..., None])[..., 0]
    errors = [e / strength for e in solution.errors]
    assert relative(errors, [*(np.einsum("bkn,bk->bn", g, u) for g in layers), u]).max() < 1e-4
    expected = backprop(network, x, y).deltas
    assert np.linalg.norm(errors[-1]) < 0.95 * np.linalg.norm(expected[-1])


class TestSpikingForwardUpdate:
    @pytest.mark.parametrize("step_size", [0.3, 0.5, 0.9])
    def test_it_is_layerwise_rescaled_backpropagation(self, step_size: float) -> None:
        network, x, y = problem()
        found = bp_modes.spiking_forward_update(network, x, y, step_size=step_size)
        depth = network.depth
        scale = [step_size ** (depth - l) * (1 - step_size) for l in range(1, depth)] + [1.0]
        expected = [c * g for c, g in zip(scale, backprop(network, x, y).gradients, strict=True)]
        assert relative(found.gradients, expected).max() < 1e-12

    def test_without_spikes_it_is_plain_relaxation(self) -> None:
        network, x, y = problem()
        found = bp_modes.spiking_forward_update(network, x, y, step_size=0.3, alpha=1.0, steps=12)
        start, end = (relax(network, x, y, Inference(step_size=0.3, steps=0), t).activities for t in (0, 12))
        moved = [b - a for a, b in zip(start, end, strict=True)]
        assert relative(found.signals[:-1], moved).max() < 1e-14

    def test_without_steps_only_the_output_learns(self) -> None:
        network, x, y = problem()
        found = bp_modes.spiking_forward_update(network, x, y, step_size=0.3, steps=0).gradients
        assert all(not np.any(g) for g in found[:-1])
        assert relative(found[-1:], backprop(network, x, y).gradients[-1:]).max() < 1e-15
