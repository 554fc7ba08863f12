"""One row of facts and one file for each architecture; and nothing outside that file knows what a layer computes: a
convolution with biases, which only the tests have, is relaxed by every solver and trained by every rule."""

import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.solution import Solution
from benchmarks.solve import solve
from pcviz.experiment import from_paths
from pcviz.experiment.architectures import ARCHITECTURES
from pcviz.experiment.rules import RULES
from pcviz.experiment.solvers import SOLVERS
from pcviz.numerics.blocktridiagonal import dense
from pcviz.pcn import Network, architectures, backprop, learning, linear, weight_gradients, weights, with_weights
from pcviz.pcn.architectures import architecture_of
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import flat_weights, with_flat_weights
from pcviz.pcn.relaxation import relax
from pcviz.pcn.stacks import Activities, unstack
from pcviz.pcn.trace import padded_rows
from pcviz.probes import curvature
from pcviz.probes.hessian import hessian_blocks, largest_eigenvalue
from pcviz.probes.plane import random_directions
from tests.crossed import crossed
from tests.pcn.convolution import CHANNELS, SITES, batch, convolutional

X, Y = batch()


def test_every_row_has_a_file_and_every_file_a_row() -> None:
    assert {info.name for info in pkgutil.iter_modules(architectures.__path__)} == set(ARCHITECTURES)


def test_an_unknown_name_is_no_architecture() -> None:
    with pytest.raises(KeyError, match="rnn"):
        architecture_of("rnn")


def energy(network: Network, z: Activities) -> jax.Array:
    """The energy summed over the examples X, Y, layer after layer."""
    total, below = jnp.zeros(()), X
    layers = [jax.tree.map(lambda leaf, i=i: leaf[i], stage) for stage in network.stages for i in range(stage.count)]
    for layer, own in zip(layers, [*unstack(z), Y], strict=True):
        precision = network.output_precision[...] if own is Y else 1.0
        total += precision * 0.5 * jnp.sum((own - layer(below)) ** 2)
        below = own
    return total


def state(network: Network, seed: int = 2) -> Activities:
    rng = np.random.default_rng(seed)
    shapes = [(stage.count, len(X), CHANNELS, SITES) for stage in network.stages[:-1]]
    return tuple(jnp.asarray(rng.standard_normal(shape)) for shape in shapes)


@pytest.mark.parametrize("depth", [2, 5])
def test_local_gradients_are_those_of_the_energy(depth: int) -> None:
    network = convolutional(depth, precision=3.0)
    z = state(network)
    local = activity_gradient(network, X, Y, z)
    for found, expected in zip(local.gradient, jax.grad(energy, 1)(network, z), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    end = relax(network, X, Y, from_paths({"inference.step_size": 0.2}).inference, 7)

    def of_weights(flat: jax.Array) -> jax.Array:
        return energy(with_flat_weights(network, flat), end.settled.activities) / len(X)

    expected = jax.grad(of_weights)(jnp.asarray(flat_weights(network)))
    found = flat_weights(with_weights(network, weight_gradients(network, X, Y, end)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_backpropagation_is_the_loss_gradient() -> None:
    network = convolutional(loss="mse")
    found = backprop(network, X, Y)
    expected = curvature.loss(network, X, Y)
    np.testing.assert_allclose(
        flat_weights(with_weights(network, found.gradients)), expected.gradient, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", [name for name in SOLVERS if name != "pc_alm"])
def test_every_solver_reaches_the_closed_form(name: str) -> None:
    network = convolutional(activation="linear", precision=2.0)
    exact = linear.equilibrium(network, X, Y)
    found = solved(name, network)
    assert found.energy == pytest.approx(float(exact.energy), rel=1e-4)
    for z, expected in zip(found.activities, unstack(exact.activities), strict=True):
        np.testing.assert_allclose(z, expected, atol=0.03)


def test_pc_alm_reaches_backpropagation() -> None:
    network = convolutional(activation="linear", precision=2.0)
    signals = unstack(solved("pc_alm", network).settled.errors)[:-1]
    for signal, delta in zip(signals, backprop(network, X, Y).deltas, strict=False):
        np.testing.assert_allclose(signal, 2 * delta, atol=1e-6)


def solved(name: str, network: Network) -> Solution:
    """The relaxation by a solver with its usual step, a step size of Adam's that gets closer excepted."""
    curvatures = largest_eigenvalue(network, X, Y, unstack(forward(network, X)[0])).max()
    rescaling = linear.rescaling(linear.output_jacobians(linear.layer_maps(network)), 2.0)
    usual = SOLVERS[name].usual_step
    step = None if usual is None else usual(curvatures, float(np.linalg.eigvalsh(2.0 * rescaling).max()))
    step, steps = 0.005 if name == "adam" else step, 3000 if name in ("adam", "pc_alm") else 500
    return solve(name, network, X, Y, step_size=step, steps=steps, rows=2)


def test_the_closed_form_is_the_minimum() -> None:
    network = convolutional(activation="linear", precision=2.0)
    exact = linear.equilibrium(network, X, Y)
    assert max(np.abs(g).max() for g in activity_gradient(network, X, Y, exact.activities).gradient) < 1e-12
    assert float(exact.energy) == pytest.approx(float(energy(network, exact.activities)) / len(X), rel=1e-12)
    assert float(exact.energy) == pytest.approx(float(linear.least_energy(network, X, Y)), rel=1e-12)


def test_the_hessian_is_that_of_the_energy() -> None:
    network = convolutional(depth=4, precision=2.0)
    z = state(network)
    size = sum(stack[:, 0].size for stack in z)

    def of(vector: jax.Array, example: int) -> jax.Array:
        parts = jnp.split(vector, np.cumsum([stack[:, 0].size for stack in z])[:-1])
        own = tuple(stack.at[:, example].set(p.reshape(stack[:, 0].shape)) for p, stack in zip(parts, z, strict=True))
        return energy(network, own)

    found = dense(hessian_blocks(network, X, Y, unstack(z)))
    for example in range(2):
        at = jnp.concatenate([stack[:, example].ravel() for stack in z])
        expected = jax.hessian(of)(at, example)
        assert expected.shape == (size, size)
        np.testing.assert_allclose(found[example], expected, atol=1e-10)


@pytest.mark.parametrize(("rule", "optimiser"), crossed(RULES, ["adam", "sgd"]))
def test_every_rule_trains_it(rule: str, optimiser: str) -> None:
    network = convolutional(dtype="float32")
    x, y = batch(16, dtype="float32")
    paths = {
        "learning.rule": rule,
        "learning.optimiser": optimiser,
        "learning.learning_rate": 0.02 if optimiser == "adam" else 0.1,
    }
    experiment = from_paths({**paths, "network.depth": 5, "network.parameterisation": "sp", "inference.steps": 12})
    method = learning.method_of(experiment)
    numbers = learning.numbers_of(experiment, jnp.asarray(padded_rows(np.arange(0), 0)))
    indices = jnp.tile(jnp.arange(16, dtype=jnp.int32), (60, 1))
    batches = learning.Batches(x, y, indices, jnp.ones(60, bool))
    keys = jax.vmap(jax.random.key)(jnp.arange(60))
    slots = learning.fresh_slots(method, network, numbers)
    trained, _, _, course, done = learning.weight_steps(method, network, slots, batches, 60, numbers, keys)
    assert int(done) == 60
    assert course.losses[-1] < 0.7 * course.losses[0]
    for before, after in zip(weights(network), weights(trained), strict=True):
        assert all(np.abs(after[part] - before[part]).max() > 0 for part in ("kernel", "bias"))
    assert np.all(np.asarray(course.weight_changes) > 0)


def test_a_layer_moves_by_all_of_its_weights() -> None:
    """|dW_l| / |W_l| over kernel and bias together."""
    before = convolutional(5)
    after = with_flat_weights(before, 1.1 * jnp.asarray(flat_weights(before)) + 0.01)
    old, new = (
        [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(layer)]) for layer in weights(network)]
        for network in (before, after)
    )
    expected = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(old, new, strict=True)]
    np.testing.assert_allclose(learning.weight_changes(before, after), expected, rtol=1e-12)


def test_random_directions_are_as_long_as_each_filter() -> None:
    network = convolutional()
    own = weights(with_flat_weights(network, jnp.asarray(random_directions(network, 0)[0])))
    for direction, reference in zip(own, weights(network), strict=True):
        for part in ("kernel", "bias"):
            norms = [np.linalg.norm(tree[part], axis=-1) for tree in (direction, reference)]
            np.testing.assert_allclose(*norms, rtol=1e-10)
