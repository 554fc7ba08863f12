"""Weight normalisation: the estimate, what every rule leaves behind, and what stays untouched."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.faults import faults
from pcviz.experiment.rules import RULES
from pcviz.pcn import Network, build, learning, premultipliers, weights
from pcviz.pcn.weight_norm import normalised, spectral_estimate
from tests.crossed import crossed
from tests.pcn.convolution import convolutional
from tests.pcn.pairs import pair
from tests.pcn.test_learning import Trained, training


@pytest.mark.parametrize("shape", [(64, 64), (128, 784), (10, 64)])
def test_the_estimate_is_near_the_norm_of_gaussian_matrices(shape: tuple[int, int]) -> None:
    """Oracle 31: |W|_2 is 0.94 to 1 of the estimate, on average over draws."""
    draws = 3.0 * np.random.default_rng(0).standard_normal((32, *shape))
    norms = np.sqrt(np.linalg.eigvalsh(draws @ draws.swapaxes(1, 2))[:, -1])
    shares = norms / np.asarray(spectral_estimate(jnp.asarray(draws)))
    assert 0.94 <= shares.mean() <= 1.0
    assert shares.std() < 0.05


def test_the_estimate_is_of_the_spread_not_of_the_size() -> None:
    """A mean common to all entries counts for nothing: std, not root mean square."""
    matrices = np.random.default_rng(1).standard_normal((2, 5, 7))
    expected = (5**0.5 + 7**0.5) * matrices.std(axis=(1, 2))
    np.testing.assert_allclose(spectral_estimate(jnp.asarray(matrices)), expected, rtol=1e-12)
    np.testing.assert_allclose(spectral_estimate(jnp.asarray(matrices + 9)), expected, rtol=1e-12)


def estimates(network: Network) -> list[float]:
    """The estimated norm of each layer's map a_l W_l, in numpy."""
    found = []
    for a, own in zip(premultipliers(network), weights(network), strict=True):
        matrix = a * np.asarray(own["weight"] if isinstance(own, dict) else own, np.float64)
        found.append(float(sum(np.sqrt(matrix.shape)) * matrix.std()))
    return found


def wanted(rule: str, norm: float | str, optimiser: str = "adam", **network: Any) -> Experiment:
    return training(rule, optimiser, steps=5, **network).changed({"learning.weight_norm": norm})


@pytest.mark.parametrize(("rule", "optimiser"), crossed(RULES, ["adam", "sgd", "adamw"]))
def test_after_a_weight_step_every_map_has_the_wanted_norm(rule: str, optimiser: str) -> None:
    _, network, x, y = pair(activation="tanh")
    for norm in (0.3, 1.7):
        found = Trained(wanted(rule, norm, optimiser), network, x[None], y[None])
        np.testing.assert_allclose(estimates(found.network), norm, rtol=1e-9)


def test_directions_are_those_of_the_plain_step() -> None:
    _, network, x, y = pair(activation="tanh")
    plain, scaled = (Trained(wanted("pc", norm), network, x[None], y[None]) for norm in ("none", 1.0))
    for one, other in zip(weights(plain.network), weights(scaled.network), strict=True):
        factor = np.linalg.norm(other) / np.linalg.norm(one)
        np.testing.assert_allclose(other, factor * one, rtol=1e-9, atol=1e-12)
    for one, other in zip(jax.tree.leaves(plain.slots), jax.tree.leaves(scaled.slots), strict=True):
        np.testing.assert_array_equal(one, other, "the optimiser's state is its own")


def test_biases_are_left_alone() -> None:
    experiment = wanted("bp", 1.0, biases=True)
    network = build(experiment, 7, 3)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1, 4, 7)), rng.standard_normal((1, 4, 3))
    plain, scaled = (Trained(wanted("bp", norm, biases=True), network, x, y) for norm in ("none", 1.0))
    np.testing.assert_allclose(estimates(scaled.network), 1.0, rtol=1e-9)
    for one, other in zip(weights(plain.network), weights(scaled.network), strict=True):
        assert np.any(one["bias"])
        np.testing.assert_array_equal(one["bias"], other["bias"])


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_layers_that_wait_in_ipc_stay_untouched(steps: int) -> None:
    _, network, x, y = pair(activation="tanh", depth=9)
    experiment = training("ipc", "adam", steps=steps, depth=9).changed({"learning.weight_norm": 1.0})
    after = Trained(experiment, network, x[None], y[None]).network
    moved = [not np.array_equal(a, b) for a, b in zip(weights(network), weights(after), strict=True)]
    assert moved == [l > 9 - steps for l in range(1, 10)]
    np.testing.assert_allclose(estimates(after)[-steps:], 1.0, rtol=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_none_changes_no_bit_and_a_norm_keeps_the_number_format(rule: str) -> None:
    _, network, x, y = pair(activation="tanh", dtype="float32")
    default = training(rule, "adam", "float32")
    runs = [Trained(default.changed(c), network, x[None], y[None]) for c in ({}, {"learning.weight_norm": "none"})]
    for one, other in zip(*(weights(run.network) for run in runs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert runs[0].numbers.weight_norm is None, "nothing of it is in the program"
    scaled = Trained(default.changed({"learning.weight_norm": 1.0}), network, x[None], y[None])
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(scaled.network)} == {"float32"}


def test_the_number_is_traced() -> None:
    _, network, x, y = pair(activation="tanh")
    Trained(wanted("pc", 1.0), network, x[None], y[None])
    size = learning.weight_steps.jitted._cache_size()
    Trained(wanted("pc", 2.0), network, x[None], y[None])
    assert learning.weight_steps.jitted._cache_size() == size


def test_a_matrix_of_one_entry_has_no_spread_and_stays() -> None:
    network = build(from_paths({"network.depth": 4, "network.width": 1, "data.name": "moons", "dtype": "float64"}))
    after = normalised(network, jnp.asarray(0.5))
    found = list(zip(weights(network), weights(after), strict=True))
    for before, scaled in found[1:-1]:
        np.testing.assert_array_equal(before, scaled)
    np.testing.assert_allclose([estimates(after)[0], estimates(after)[-1]], 0.5, rtol=1e-12)


def test_kernels_of_any_shape_are_rescaled() -> None:
    network = convolutional()
    for before, after in zip(weights(network), weights(normalised(network, jnp.asarray(0.5))), strict=True):
        outputs, *inputs = after["kernel"].shape
        spread = 0.7 * np.std(after["kernel"])
        assert (outputs**0.5 + np.prod(inputs) ** 0.5) * spread == pytest.approx(0.5, rel=1e-12)
        np.testing.assert_array_equal(before["bias"], after["bias"])


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (0, "learning.weight_norm: 0 is not above 0"),
        (101, "learning.weight_norm: 101 is above 100"),
        ("large", "learning.weight_norm: large is not one of the allowed values"),
    ],
)
def test_what_is_not_allowed_is_refused_in_one_line(given: Any, start: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_paths({"learning.weight_norm": given})
    (line,) = faults(caught.value)
    assert line.startswith(start) and line.endswith("(allowed: above 0 to 100, or none)")


def test_it_keeps_deep_maps_in_the_band_while_they_learn() -> None:
    """Without it the maps of a network with large steps grow."""
    _, network, x, y = pair(activation="tanh", batch=40)
    x, y = x.reshape(10, 4, -1), y.reshape(10, 4, -1)
    changes = {"learning.learning_rate": 0.5}
    plain, scaled = (Trained(wanted("pc", n).changed(changes), network, x, y) for n in ("none", 1.0))
    assert max(estimates(plain.network)) > 1.5
    true = [np.linalg.norm(a * w, 2) for a, w in zip(premultipliers(network), weights(scaled.network), strict=True)]
    assert max(true) < 1.5
