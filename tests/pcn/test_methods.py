"""Methods beside plain predictive coding: where they equal backpropagation, and by what they are shrunk otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solve import solve
from pcviz.data import load
from pcviz.experiment import Experiment, Learning, from_paths
from pcviz.experiment.precisions import PRECISIONS
from pcviz.pcn import Network, backprop, build
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.precisions import SCHEDULES, Precisions, precisions
from pcviz.pcn.stacks import unstack
from tests.pcn.learned import gradients, relative, settled
from tests.pcn.pairs import pair

FORWARD, ZIL, FIXED, STRICT = (
    Learning(**options)
    for options in ({"forward_update": True}, {"rule": "zil"}, {"rule": "fixed_prediction"}, {"rule": "strict"})
)


def problem(activation: str = "tanh", **options) -> tuple[Network, np.ndarray, np.ndarray]:
    _, network, x, y = pair(1, activation=activation, **options)
    return network, x, y


class TestFixedPrediction:
    @pytest.mark.parametrize("activation", ["tanh", "gelu"])
    def test_as_many_steps_as_hidden_layers_are_backpropagation(self, activation: str) -> None:  # O1
        network, x, y = problem(activation)
        expected = backprop(network, x, y)
        for steps in range(network.depth + 2):
            found = settled(network, x, y, steps, FIXED, step_size=1.0)
            error = relative(unstack(found.signals or ()), expected.deltas)
            if steps < network.depth - 1:
                assert error.max() == 1.0, "the signal must still be on its way"
            else:
                assert error.max() < 1e-14
        assert relative(gradients(network, x, y, 4, FIXED, step_size=1.0), expected.gradients).max() < 1e-14

    @pytest.mark.parametrize("loss", ["mse", "ce"])
    def test_any_stable_step_size_converges_to_backpropagation(self, loss: str) -> None:
        network, x, y = problem(loss=loss)
        found = gradients(network, x, y, 300, FIXED, step_size=0.5)
        assert relative(found, backprop(network, x, y).gradients).max() < 1e-12


class TestZeroDivergence:
    @pytest.mark.parametrize("activation", ["tanh", "gelu"])
    def test_step_size_one_is_backpropagation(self, activation: str) -> None:  # O2
        network, x, y = problem(activation)
        found = gradients(network, x, y, network.depth, ZIL, step_size=1.0)
        assert relative(found, backprop(network, x, y).gradients).max() < 1e-13

    def test_smaller_step_sizes_shrink_the_gradient_once_a_layer(self) -> None:  # O2
        network, x, y = problem()
        found = gradients(network, x, y, network.depth, ZIL, step_size=0.5)
        error = relative(found, backprop(network, x, y).gradients)
        np.testing.assert_allclose(error, 1 - 0.5 ** np.arange(network.depth - 1, -1, -1), rtol=1e-10, atol=1e-14)

    def test_64_layers_learn_in_float32(self) -> None:
        """A step size of 1 is far above the stable one of a relaxation; one move each does not care."""
        network, x, y = deep(64, "float32")
        cosines = cosine(gradients(network, x, y, 64, ZIL, step_size=1.0), backprop(network, x, y).gradients)
        assert cosines.min() > 0.99999


class TestStrict:
    def test_it_is_rosenbaums_loop(self) -> None:  # O16
        network, x, y = problem()
        layers = unstack(tuple(network.stages))
        step_size, sweeps, depth = 0.2, 9, network.depth

        def of(number: int, below: jax.Array) -> jax.Array:
            """f_l, the prediction of layer l."""
            return layers[number - 1](below)

        v = [jnp.asarray(x)]
        for number in range(1, depth):
            v.append(of(number, v[-1]))
        for _ in range(sweeps):
            above = of(depth, v[depth - 1]) - y  # dLoss/dyhat
            for number in range(depth - 1, 0, -1):
                own = of(number, v[number - 1]) - v[number]  # prediction minus belief
                (message,) = jax.vjp(lambda z, number=number: of(number + 1, z), v[number])[1](above)
                v[number] = v[number] + step_size * (own - message)
                above = own
        found = settled(network, x, y, sweeps, STRICT, step_size=step_size)
        assert relative(unstack(found.activities), v[1:]).max() < 1e-13
        last = [of(number, v[number - 1]) - v[number] for number in range(1, depth)]
        assert relative(unstack(found.errors[:-1]), [-e for e in last]).max() < 1e-12, "the sign is the opposite"


class TestFront:
    def test_first_errors_are_shrunken_deltas(self) -> None:  # O3
        network, x, y = problem()
        deltas, depth = backprop(network, x, y).deltas, network.depth
        for t in range(1, depth):
            errors = unstack(settled(network, x, y, t, step_size=0.1).errors)
            assert all(not np.any(errors[l - 1]) for l in range(1, depth - t)), "ahead of the front: exactly zero"
            assert relative([errors[depth - t - 1]], [0.1**t * deltas[depth - t - 1]]).max() < 1e-10

    def test_small_steps_follow_the_binomial_law(self) -> None:  # O21
        network, x, y = problem(depth=8)
        found = settled(network, x, y, 20, FORWARD, step_size=1e-3)
        errors, deltas = unstack(found.errors), backprop(network, x, y).deltas
        binomial = 1.0
        for distance in range(1, 7):
            binomial *= (20 - distance + 1) / distance
            layer = network.depth - distance - 1
            law = binomial * 1e-3**distance * np.linalg.norm(deltas[layer])
            assert 0.95 < np.linalg.norm(errors[layer]) / law <= 1.001


class TestErrorBased:
    def test_the_first_step_sends_deltas_everywhere(self) -> None:  # O4
        network, x, y = problem()
        for step_size in (1.0, 0.01):
            solution = solve("error_based", network, x, y, step_size=step_size, steps=1)
            deltas = backprop(network, x, y).deltas
            assert relative(solution.errors[:-1], [step_size * d for d in deltas[:-1]]).max() < 1e-14

    def test_gradients_tend_to_backpropagation_with_the_step_size(self) -> None:  # O4
        network, x, y = problem()
        expected, errors = backprop(network, x, y).gradients, []
        for step_size in (1e-2, 1e-4):
            found = gradients(network, x, y, 1, solver="error_based", step_size=step_size)
            errors.append(relative([*(g / step_size for g in found[:-1]), found[-1]], expected).max())
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


def free_output(network: Network, x: np.ndarray, y: np.ndarray, strength: float) -> list[np.ndarray]:
    """Weight gradients / strength where an output z_L of its own has been relaxed too, on hidden energies
    + 1/2 |z_L - mu_L|² + strength / 2 |y - z_L|², by the gradient of that."""

    def energy(free: tuple) -> jax.Array:
        z, top = free
        hidden = sum(jnp.sum(e * e) for e in errors_of(network, x, z, None, None))
        return 0.5 * (hidden + jnp.sum((top - network.output(z)) ** 2) + strength * jnp.sum((y - top) ** 2))

    def step(_: int, free: tuple) -> tuple:
        return jax.tree.map(lambda a, g: a - 0.3 * g, free, jax.grad(energy)(free))

    z, top = jax.lax.fori_loop(0, 4000, step, forward(network, jnp.asarray(x)))

    def by_weights(network: Network) -> jax.Array:
        errors = errors_of(network, x, z, None, None)
        return 0.5 * sum((jnp.sum(e * e) for e in errors), start=jnp.sum((top - network.output(z)) ** 2))

    found = jax.grad(by_weights)(network)
    return [np.asarray(g) / strength / len(x) for g in unstack(tuple(stage.weights for stage in found.stages))]


class TestNudging:
    def test_one_sided_errors_are_linear_and_centred_ones_quadratic(self) -> None:  # O8
        network, x, y = problem(depth=3)
        expected = backprop(network, x, y).gradients
        for nudging, ratio, margin in (("positive", 10, 1.5), ("negative", 10, 1.5), ("centred", 100, 15)):
            large, small = (
                relative(gradients(network, x, y, 3000, nudging=nudging, nudge_strength=beta), expected).max()
                for beta in (0.01, 0.001)
            )
            assert large / small == pytest.approx(ratio, abs=margin)
            assert small < 0.02

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_soft_nudge_settles_where_a_free_output_does(self, sign: int) -> None:
        network, x, y = problem(depth=3)
        nudging = "positive" if sign > 0 else "negative"
        found = gradients(network, x, y, 4000, nudging=nudging, nudge_strength=0.2)
        assert relative(found, free_output(network, x, y, sign * 0.2)).max() < 1e-10

    def test_cross_entropy_too(self) -> None:
        network, x, y = problem(depth=3, loss="ce")
        found = gradients(network, x, y, 3000, nudging="centred", nudge_strength=0.001)
        assert relative(found, backprop(network, x, y).gradients).max() < 1e-4

    def test_solvers_agree_on_where_it_settles(self) -> None:
        network, x, y = problem(depth=3)
        options = {"nudging": "centred", "nudge_strength": 0.3}
        there = gradients(network, x, y, 4000, **options)
        assert relative(gradients(network, x, y, 400, solver="error_based", **options), there).max() < 1e-10

    def test_a_hard_nudge_tends_to_the_linearised_equilibrium_not_to_backpropagation(self) -> None:  # O9
        network, x, y = problem(depth=4)
        options = {"nudging": "positive", "output_clamp": "hard", "nudge_strength": 1e-5}
        signals = unstack(settled(network, x, y, 400, solver="error_based", step_size=0.3, **options).signals or ())
        zeros = jax.tree.map(jnp.zeros_like, forward(network, x)[0])
        jacobian = jax.jit(jax.jacrev(lambda e: forward(network, x, e)[1]))(zeros)
        residual = y - forward(network, jnp.asarray(x))[1]
        blocks = [np.einsum("bklbn->lbkn", np.asarray(stack)) for stack in jacobian]
        layers = [block for stack in blocks for block in stack]
        s = np.eye(3) + sum(g @ g.transpose(0, 2, 1) for g in layers)
        u = np.linalg.solve(s, np.asarray(residual)[..., None])[..., 0]
        assert relative(signals, [*(np.einsum("bkn,bk->bn", g, u) for g in layers), u]).max() < 1e-4
        assert np.linalg.norm(signals[-1]) < 0.95 * np.linalg.norm(backprop(network, x, y).deltas[-1])


def deep(depth: int, dtype: str) -> tuple[Network, jax.Array, jax.Array]:
    """The default network at some depth, with a batch of digits."""
    experiment = Experiment.model_validate({"network": {"depth": depth, "activation": "tanh"}, "dtype": dtype})
    data = load(experiment.data, 0, dtype)
    return build(experiment), jnp.asarray(data.x_train[:64]), jnp.asarray(data.y_train[:64])


def cosine(found: list, expected: list) -> np.ndarray:
    pairs = [[np.asarray(g, np.float64).ravel() for g in both] for both in zip(found, expected, strict=True)]
    return np.array([a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in pairs])


SPIKES = {"precision_schedule": "spiking", "spike_alpha": 0.0}


class TestSpikingForwardUpdate:
    @pytest.mark.parametrize("step_size", [0.3, 0.5, 0.9])
    def test_it_is_layerwise_rescaled_backpropagation(self, step_size: float) -> None:  # O10
        network, x, y = problem()
        found = gradients(network, x, y, network.depth, FORWARD, step_size=step_size, **SPIKES)
        depth = network.depth
        scale = [step_size ** (depth - l) * (1 - step_size) for l in range(1, depth)] + [1.0]
        expected = [c * g for c, g in zip(scale, backprop(network, x, y).gradients, strict=True)]
        assert relative(found, expected).max() < 1e-12

    @pytest.mark.parametrize(("step_size", "least"), [(0.3, 0.999), (0.9, 0.99999)])
    def test_sixteen_layers_in_float32_point_as_backpropagation_does(self, step_size: float, least: float) -> None:
        network, x, y = deep(16, "float32")
        found = gradients(network, x, y, 16, FORWARD, step_size=step_size, **SPIKES)
        assert cosine(found, backprop(network, x, y).gradients).min() >= least

    def test_sixteen_layers_in_float64_to_the_bound(self) -> None:  # O10 at a real shape
        network, x, y = deep(16, "float64")
        found = gradients(network, x, y, 16, FORWARD, step_size=0.3, **SPIKES)
        scale = [0.3 ** (16 - l) * 0.7 for l in range(1, 16)] + [1.0]
        expected = [c * g for c, g in zip(scale, backprop(network, x, y).gradients, strict=True)]
        assert (relative(found, expected) < 100 * np.finfo(float).eps * 0.3**-15).all()

    def test_one_step_fewer_leaves_the_first_layer_too_far(self) -> None:
        network, x, y = problem()
        full, short = (gradients(network, x, y, network.depth - n, FORWARD, step_size=0.4, **SPIKES) for n in (0, 1))
        assert relative(short[:1], [full[0] / (1 - 0.4)]).max() < 1e-12
        assert relative(short[1:], full[1:]).max() < 1e-12

    def test_without_steps_only_the_output_learns(self) -> None:  # O11
        network, x, y = problem()
        found = gradients(network, x, y, 0, FORWARD)
        assert all(not np.any(g) for g in found[:-1])
        assert relative(found[-1:], backprop(network, x, y).gradients[-1:]).max() < 1e-15

    def test_decaying_precisions_are_nearly_as_aligned(self) -> None:
        network, x, y = problem()
        found = gradients(network, x, y, 12, FORWARD, step_size=0.3, precision_schedule="decaying")
        assert cosine(found, backprop(network, x, y).gradients).min() > 0.999


class TestSchedules:
    def test_every_schedule_has_a_row_and_a_function(self) -> None:
        assert set(PRECISIONS) - {"constant"} == set(SCHEDULES) - {"arrival"}

    def test_full_precision_between_spikes_is_plain_bit_for_bit(self) -> None:  # O10
        network, x, y = problem()
        plain = settled(network, x, y, 12, step_size=0.3)
        spiking = settled(network, x, y, 12, step_size=0.3, precision_schedule="spiking", spike_alpha=1.0)
        for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(spiking), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_values_are_the_published_ones(self) -> None:
        numbers = Precisions(jnp.asarray(1e-3), jnp.asarray(1.0), jnp.asarray(20.0))
        at = np.array(
            [
                [precisions(name, 5, 6, jnp.asarray(t), numbers) for t in range(20)]
                for name in PRECISIONS
                if name != "constant"
            ]
        )
        spiking, decaying, normalised = at
        np.testing.assert_allclose(spiking, [1e-3, 1.0] + [1e-3] * 18)
        np.testing.assert_allclose(decaying[:5], [0, 1, 0.00582, 0.00214, 0.00079], atol=5e-6)
        assert normalised[0] == 0
        assert normalised.sum() == pytest.approx(1)
        np.testing.assert_allclose(normalised[2:] / normalised[1:-1], np.exp(-1))

    def test_a_relaxation_by_hand(self) -> None:
        """Steps of the weighed gradient, all layers at once, each error times its own precision."""
        network, x, y = problem(depth=4)
        z = [np.asarray(layer) for layer in unstack(forward(network, jnp.asarray(x))[0])]
        layers = unstack(tuple(network.stages))
        w = lambda l, t: 1.0 if 4 - l == t else 0.05  # noqa: E731

        def errors(z: list) -> tuple[list, list]:
            below, found, backs = [jnp.asarray(x), *z], [], []
            for layer, under, own in zip(layers, below, [*z, y], strict=True):
                mu, back = jax.vjp(layer, under)
                found.append(own - mu)
                backs.append(back)
            return found, backs

        for t in range(6):
            e, backs = errors(z)
            z = [a - 0.4 * (w(l, t) * e[l - 1] - backs[l](w(l + 1, t) * e[l])[0]) for l, a in enumerate(z, 1)]
        found = settled(network, x, y, 6, step_size=0.4, precision_schedule="spiking", spike_alpha=0.05)
        assert relative(unstack(found.activities), z).max() < 1e-13
        assert relative(unstack(found.errors), errors(z)[0]).max() < 1e-11, "weights learn from errors that count alike"


class TestActivityDecay:
    @pytest.mark.parametrize("solver", ["gradient_descent", "error_based"])
    def test_it_settles_where_the_energy_and_the_decay_balance(self, solver: str) -> None:
        network, x, y = problem(depth=4)
        z = settled(network, x, y, 4000, activity_decay=0.3, solver=solver).activities

        def energy(z: tuple) -> jax.Array:
            top = jnp.sum((y - network.output(z)) ** 2)
            return 0.5 * sum((jnp.sum(e * e) for e in errors_of(network, x, z, None, None)), start=top) + 0.15 * sum(
                jnp.sum(a * a) for a in z
            )

        assert max(np.abs(g).max() for g in jax.grad(energy)(z)) < 1e-12

    def test_it_moves_all_layers_at_once(self) -> None:
        network, x, y = problem()
        start = unstack(forward(network, jnp.asarray(x))[0])
        found = unstack(settled(network, x, y, 1, step_size=0.1, activity_decay=0.5).activities)
        assert relative(found[:-1], [0.95 * z for z in start[:-1]]).max() < 1e-14


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"learning.rule": "zil", "inference.solver": "adam"}, "inference.solver"),
        ({"learning.rule": "zil", "inference.precision_schedule": "spiking"}, "inference.precision_schedule"),
        ({"learning.rule": "fixed_prediction", "inference.initial": "zero"}, "inference.initial"),
        ({"learning.rule": "fixed_prediction", "inference.activity_decay": 0.1}, "inference.activity_decay"),
        ({"learning.rule": "strict", "inference.solver": "momentum"}, "inference.solver"),
        ({"learning.rule": "ipc", "learning.forward_update": True}, "learning.forward_update"),
        ({"learning.forward_update": True, "inference.solver": "error_based"}, "inference.solver"),
        ({"learning.forward_update": True, "inference.initial": "normal"}, "inference.initial"),
        ({"inference.precision_schedule": "decaying", "inference.solver": "error_based"}, "inference.solver"),
        ({"inference.precision_schedule": "decaying", "inference.initial": "zero"}, "inference.initial"),
        ({"inference.nudging": "positive", "learning.rule": "ipc"}, "inference.nudging"),
        ({"inference.nudging": "negative", "network.output_precision": 20}, "inference.nudge_strength"),
        ({"inference.nudging": "positive", "inference.output_clamp": "hard", "network.loss": "ce"}, "network.loss"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(changes: dict, field: str) -> None:
    with pytest.raises(ValueError, match=rf"{field}: .* \(allowed: .*\)"):
        from_paths(changes)
