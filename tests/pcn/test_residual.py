"""Residual blocks with auxiliary neurons: what layers predict, how errors come down, where relaxations are stable."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from pydantic import ValidationError

from benchmarks.solve import solve
from pcviz.experiment import Experiment, Inference, Learning, from_paths
from pcviz.experiment.faults import faults
from pcviz.experiment.rules import RULES
from pcviz.jobs.training import Training
from pcviz.pcn import Network, backprop, build, learning, weights
from pcviz.pcn.architectures.mlp import Dense
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient, inputs_of, stacked_gradients
from pcviz.pcn.network import flat_weights, replaced, stacked_weights
from pcviz.pcn.relaxation import relax
from pcviz.pcn.stacks import Activities, dot, unstack
from pcviz.probes.surface import settled as least_energy
from tests.pcn.learned import gradients, relative, settled
from tests.pcn.test_methods import FORWARD, cosine

RESIDUAL = {"network.architecture": "residual", "inference.precision_schedule": "spiking"}
SLOWER = ("ipc", "bp", "zil", "fixed_prediction")
STEP = 0.3
SPIKES = {"precision_schedule": "spiking", "step_size": STEP}
rng = np.random.default_rng(0)
X, Y = jnp.asarray(rng.standard_normal((4, 7))), jnp.asarray(rng.standard_normal((4, 3)))
local_gradient, up = jax.jit(activity_gradient), jax.jit(forward)


def residual(auxiliary: int = 2, step_size: float = STEP, **network: object) -> Network:
    given = {"depth": 8, "width": 5, "activation": "tanh", "auxiliary": auxiliary, **network}
    paths = {f"network.{name}": value for name, value in given.items()}
    return build(from_paths({**RESIDUAL, **paths, "inference.step_size": step_size, "dtype": "float64"}), 7, 3)


def state(network: Network, auxiliary: int) -> Activities:
    """Random hidden activities, the neurons that one auxiliary neuron leaves over excepted."""
    rng = np.random.default_rng(2)
    stacks = [rng.standard_normal((s.count, len(X), *s.output_shape)) for s in list(network.stages)[:-1]]
    if auxiliary == 1:
        stacks[2][::2, :, 1] = 0
    return tuple(map(jnp.asarray, stacks))


def maps(network: Network) -> list[jax.Array]:
    """a_l W_l."""
    scales = jnp.concatenate([stage.premultiplier[...].ravel() for stage in network.stages])
    return [a * w for a, w in zip(scales, weights(network), strict=True)]


def predictions(network: Network, x: jax.Array, z: list[jax.Array], auxiliary: int) -> list[jax.Array]:
    """mu_1 … mu_L: the equations, layer after layer; x and z_1 … z_H of shapes (B, D), (B, N) and (B, 2, N)."""
    m, h = maps(network), z[0]
    found = [x @ m[0].T]
    for layer in range(1, len(z), 2):
        (a1, b1), (a2, b2) = (jnp.moveaxis(pair, 1, 0) for pair in z[layer : layer + 2])
        found.append(jnp.stack([jnp.tanh(h) @ m[layer].T, h], 1))
        main = jnp.tanh(a1) @ m[layer + 1].T
        found.append(jnp.stack([main, b1] if auxiliary == 2 else [main + b1, 0 * b1], 1))
        h = a2 + b2 if auxiliary == 2 else a2
    return [*found, jnp.tanh(h) @ m[-1].T]


def energy(network: Network, z: list[jax.Array], auxiliary: int) -> jax.Array:
    """The energy summed over the examples: errors of auxiliary neurons count 1 / step size."""
    errors = [own - mu for own, mu in zip([*z, Y], predictions(network, X, z, auxiliary), strict=True)]
    squares = sum(jnp.sum(e[:, 0] ** 2) + jnp.sum(e[:, 1] ** 2) / STEP for e in errors[1:-1])
    return 0.5 * (jnp.sum(errors[0] ** 2) + squares + network.output_precision[...] * jnp.sum(errors[-1] ** 2))


slopes = jax.jit(jax.grad(energy, (0, 1)), static_argnums=2)


@jax.jit
def stacked_predictions(network: Network, z: Activities) -> list[jax.Array]:
    return unstack(tuple(stage(below) for stage, below in zip(network.stages, inputs_of(X, z), strict=True)))


class TestEquations:
    @pytest.mark.parametrize(("auxiliary", "depth"), [(1, 8), (2, 8), (2, 4)])
    def test_predictions_of_the_stacks_are_those_of_the_equations(self, auxiliary: int, depth: int) -> None:
        network = residual(auxiliary, depth=depth)
        z = state(network, auxiliary)
        literal = jax.jit(predictions, static_argnums=3)(network, X, unstack(z), auxiliary)
        for mu, expected in zip(stacked_predictions(network, z), literal, strict=True):
            np.testing.assert_allclose(mu, expected, rtol=1e-13, atol=1e-15)

    @pytest.mark.parametrize("auxiliary", [1, 2])
    def test_gradients_are_those_of_the_energy(self, auxiliary: int) -> None:
        network = residual(auxiliary, output_precision=2.0)
        z = state(network, auxiliary)
        _, by_activities = slopes(network, unstack(z), auxiliary)
        for found, expected in zip(unstack(local_gradient(network, X, Y, z).gradient), by_activities, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        end = settled(network, X, Y, 6, spike_alpha=0.2, **SPIKES)
        at = unstack(end.activities)
        assert float(end.energies.sum()) * len(X) == pytest.approx(float(energy(network, at, auxiliary)), rel=1e-12)
        by_weights, _ = slopes(network, at, auxiliary)
        for found, expected in zip(stacked_gradients(network, X, end), stacked_weights(by_weights), strict=True):
            np.testing.assert_allclose(found, expected / len(X), rtol=1e-9, atol=1e-13)

    def test_linear_layers_are_their_maps(self) -> None:
        network = residual(activation="linear")
        z = state(network, 2)
        found = jax.jit(lambda stages: [stage.maps() for stage in stages])(network.stages)
        parts = zip(
            unstack(tuple(found)), unstack(tuple(inputs_of(X, z))), stacked_predictions(network, z), strict=True
        )
        for matrix, below, expected in parts:
            own = np.asarray(below).reshape(len(X), -1) @ np.asarray(matrix).T
            np.testing.assert_allclose(own, np.asarray(expected).reshape(len(X), -1), atol=1e-12)
        assert not network.has_closed_form


def chain(precision: float) -> Network:
    """x -> B1 -> B2 -> out, all weights 1."""

    def ones(count: int) -> Dense:
        return Dense(jnp.ones((count, 1, 1)), jnp.ones((count, 1, 1)), "linear", False)

    relays = ones(2)
    relays.precision = nnx.Variable(jnp.full((2, 1, 1), precision))
    return Network([relays, ones(1)], jnp.ones(()), "mse")


class TestRelaying:
    @pytest.mark.parametrize(
        ("precision", "expected"),
        [
            (1 / 0.2, [(0, 0, 1), (0, 0.2, 0.8), (0.2, -0.04, 0.84)]),
            (1, [(0, 0, 1), (0, 0.2, 0.8), (0.04, 0.28, 0.68)]),
        ],
    )
    def test_a_chain_of_scalars(self, precision: float, expected: list[tuple[float, ...]]) -> None:  # O15
        network, x, y = chain(precision), jnp.ones((1, 1)), 2 * jnp.ones((1, 1))
        for t, errors in enumerate(expected):
            end = relax(network, x, y, Inference(solver="gradient_descent", step_size=0.2), t)
            np.testing.assert_allclose(np.ravel(end.errors), errors, atol=1e-15)
            weighed = 0.5 * np.square(errors) * [precision, precision, 1]
            np.testing.assert_allclose(end.energies[-1], weighed, atol=1e-15)

    @pytest.mark.parametrize("auxiliary", [1, 2])
    def test_both_paths_are_reached_at_once_and_layers_ahead_are_exactly_zero(self, auxiliary: int) -> None:
        network = residual(auxiliary)
        for t in range(network.depth):
            first, *errors = (np.asarray(e) for e in unstack(settled(network, X, Y, t, **SPIKES).errors)[:-1])
            assert np.any(first) == (t >= network.depth - 1)
            for layer, error in enumerate(errors, 2):
                left_over = auxiliary == 1 and layer % 2 == 1  # the B of a second layer, which nothing reaches
                reached = layer >= network.depth - t
                assert list(np.any(error, (0, 2))) == [reached, reached and not left_over], (layer, t)

    def test_errors_come_down_the_skips_undiminished(self) -> None:  # O15
        """The first errors of auxiliary neurons, with the main path cut: all alike, down to layer 2."""
        network = residual()
        cut = [own if stage in (0, 3) else jnp.zeros_like(own) for stage, own in enumerate(stacked_weights(network))]
        network = replaced(network, cut)
        first = [
            np.asarray(unstack(settled(network, X, Y, network.depth - layer, spike_alpha=0.0, **SPIKES).errors)[at])
            for at, layer in enumerate(range(2, network.depth), 1)
        ]
        (_, delta), *_ = np.moveaxis(np.asarray(backprop(network, X, Y).deltas[1]), 1, 0)[None]
        for error in first:
            np.testing.assert_allclose(error[:, 1], STEP * delta, rtol=1e-9)


def expected_signals(network: Network, auxiliary: int) -> list[jax.Array]:
    """What spikes with alpha 0 move the main path by: backpropagation with branches that count STEP (one auxiliary
    neuron) or STEP² (two), the layers of every block by the same factors where there are two."""
    start, output = up(network, X)
    z, m = unstack(start), maps(network)
    h = [z[0], *(pair[:, 0] + pair[:, 1] if auxiliary == 2 else pair[:, 0] for pair in z[2::2])]
    slope = lambda own: 1 - jnp.tanh(own) ** 2  # noqa: E731
    message = ((Y - output) @ m[-1]) * slope(h[-1])
    found: list[jax.Array] = []
    for block in reversed(range(len(h) - 1)):
        layer = 2 * block + 1
        second = STEP * message
        first = STEP * (second @ m[layer + 1]) * slope(z[layer][:, 0])
        found += [(1 - STEP) * second, (1 - STEP) * first]
        message = (message if auxiliary == 2 else second) + (first @ m[layer]) * slope(h[block])
    return [(1 - STEP) * STEP * message, *reversed(found)]


class TestForwardUpdate:
    @pytest.mark.parametrize("auxiliary", [1, 2])
    def test_spikes_are_backpropagation_with_shrunken_branches(self, auxiliary: int) -> None:
        network = residual(auxiliary)
        end = settled(network, X, Y, network.depth, FORWARD, spike_alpha=0.0, **SPIKES)
        first, *pairs = unstack(end.signals or ())[:-1]
        main = [first, *(pair[:, 0] for pair in pairs)]
        assert relative(main, expected_signals(network, auxiliary)).max() < 1e-10

    @pytest.mark.parametrize(("step_size", "least"), [(0.3, 0.96), (0.9, 0.998)])
    def test_it_points_nearly_as_backpropagation_does(self, step_size: float, least: float) -> None:
        network = residual(2, step_size)
        found = gradients(network, X, Y, network.depth, FORWARD, **{**SPIKES, "step_size": step_size})
        assert cosine(found, backprop(network, X, Y).gradients).min() > least


class TestStability:
    @pytest.mark.parametrize("auxiliary", [1, 2])
    def test_the_greatest_curvature_is_that_of_the_chain_of_auxiliary_neurons(self, auxiliary: int) -> None:
        """In steps of the relaxation, where these are small: then the main path is flat."""
        step = 1e-5
        network = residual(auxiliary, step)
        z = up(network, X)[0]
        v, rest = state(network, auxiliary), local_gradient(network, X, Y, z).gradient
        for _ in range(150):
            moved = local_gradient(network, X, Y, tuple(a + 1e-3 * b for a, b in zip(z, v, strict=True))).gradient
            v = tuple((a - b) / 1e-3 for a, b in zip(moved, rest, strict=True))
            size = jnp.sqrt(dot(v, v).sum())
            v = tuple(a / size for a in v)
        # two errors share a neuron where one is predicted from the other's; a sum A2 + B2 counts both
        if auxiliary == 2:
            inner = np.diag([2.0, 2, 3, 2, 3, 2]) - np.eye(6, k=1) - np.eye(6, k=-1)
            assert np.linalg.eigvalsh(inner)[-1] < (5 + 17**0.5) / 2
        else:
            inner = 2 * np.eye(3)
        assert step * float(size) == pytest.approx(np.linalg.eigvalsh(inner)[-1], rel=0.01)

    @pytest.mark.parametrize(("auxiliary", "beyond"), [(1, 0.85), (2, 0.48)])
    def test_what_is_allowed_settles_and_what_is_refused_diverges(self, auxiliary: int, beyond: float) -> None:
        network = residual(auxiliary)

        def energy_after(steps: int, alpha: float) -> float:
            return float(settled(network, X, Y, steps, spike_alpha=alpha, **SPIKES).energies.sum())

        start = energy_after(0, 0.25)
        assert energy_after(2000, 0.25) < 0.9 * start
        assert not energy_after(2000, beyond) < 1e6 * start
        assert not energy_after(2000, 1.0) < 1e6 * start, "the constant schedule"

    def test_precisions_that_decay_too_slowly_diverge(self) -> None:
        def energy_after(steps: int, decay: float) -> float:
            options = {"precision_schedule": "decaying", "precision_decay": decay, "step_size": STEP}
            return float(settled(residual(), X, Y, steps, **options).energies.sum())

        start = energy_after(0, 1.0)
        assert energy_after(2000, 0.04) < start
        assert not energy_after(2000, 0.01) < 1e6 * start

    def test_the_least_energy_is_where_descent_on_the_activities_ends(self) -> None:
        network = residual()
        there = float(settled(network, X, Y, 20_000, spike_alpha=0.25, **SPIKES).energies.sum())
        place = jax.jit(least_energy)(network, X, Y).place
        assert float(place.energies.mean()) == pytest.approx(there, rel=1e-5)

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "step_size"), [("gauss_newton", None), ("error_based", 0.05)])
    def test_other_solvers_end_there_too(self, name: str, step_size: float | None) -> None:
        there = float(settled(residual(), X, Y, 20_000, spike_alpha=0.25, **SPIKES).energies.sum())
        found = solve(name, residual(), X, Y, step_size=step_size, steps=300, rows=2)
        assert found.energy == pytest.approx(there, rel=1e-5)


class TestRules:
    def test_fixed_predictions_reach_backpropagation(self) -> None:
        network = residual()
        found = gradients(network, X, Y, 400, Learning(rule="fixed_prediction"), step_size=STEP)
        assert relative(found, backprop(network, X, Y).gradients).max() < 1e-12

    def test_zero_divergence_at_step_size_one_is_backpropagation(self) -> None:
        network = residual(2, 1.0)
        found = gradients(network, X, Y, network.depth, Learning(rule="zil"), step_size=1.0)
        assert relative(found, backprop(network, X, Y).gradients).max() < 1e-12

    @pytest.mark.parametrize("rule", ["pc", *(pytest.param(rule, marks=pytest.mark.slow) for rule in SLOWER)])
    def test_digits_are_learned(self, rule: str) -> None:
        changes = {"learning.rule": rule, "learning.steps": 200, "learning.forward_update": rule == "pc"}
        if not RULES[rule].plain:
            changes["inference.precision_schedule"] = "constant"
        training = Training(from_paths({**RESIDUAL, "network.depth": 8, "network.width": 32, **changes}))
        *_, last = training.run()
        assert float(last.values["test_accuracy"]) > 0.85
        assert "energy_off_theory" not in last.values, "theory of chains does not speak of it"

    def test_another_step_size_compiles_nothing(self) -> None:
        def trained(size: float) -> np.ndarray:
            given = {**RESIDUAL, "network.depth": 4, "network.width": 6, "learning.steps": 1, "data.name": "moons"}
            training = Training(from_paths({**given, "inference.step_size": size}))
            assert [*training.run()]
            return flat_weights(training.network)

        first, programs = trained(0.3), learning.weight_steps.jitted._cache_size()
        assert np.any(first != trained(0.5))
        assert learning.weight_steps.jitted._cache_size() == programs


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"network.depth": 7}, "network.depth: 7"),
        ({"network.depth": 2}, "network.depth: 2"),
        ({"network.skips": False}, "network.skips: false"),
        ({"network.auxiliary": 3}, "network.auxiliary: 3"),
        ({"inference.precision_schedule": "constant"}, "inference.precision_schedule: constant"),
        ({"inference.spike_alpha": 0.26}, "inference.spike_alpha: 0.26"),
        (
            {"inference.precision_schedule": "decaying", "inference.precision_decay": 0.03},
            "inference.precision_decay: 0.03",
        ),
        ({"inference.solver": "adam"}, "inference.solver: adam"),
        ({"inference.solver": "error_based"}, "inference.solver: error_based"),
        ({"inference.initial": "zero"}, "inference.initial: zero"),
        ({"learning.rule": "strict"}, "learning.rule: strict"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(changes: dict, line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_paths({**RESIDUAL, **changes})
    (found,) = faults(caught.value)
    assert found.startswith(line) and "allowed: " in found


def test_a_baseline_keeps_the_network_and_drops_what_goes_with_another_rule() -> None:
    assert from_paths({**RESIDUAL, "learning.forward_update": True}).with_rule("bp").learning.rule == "bp"
    silent = from_paths({"network.architecture": "residual", "learning.rule": "zil"})
    assert silent.with_rule("pc").inference.precision_schedule == "spiking"
    assert Experiment().changed({"learning.rule": "zil"}).with_rule("bp") == from_paths({"learning.rule": "bp"})
