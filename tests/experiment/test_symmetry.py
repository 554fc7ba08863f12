"""Data that no network of a kind can learn: the symmetries of networks and data, and what training makes of them."""

from functools import cache
from typing import get_args

import jax.numpy as jnp
import numpy as np
import pytest

from pcviz.data import load
from pcviz.experiment import DATASETS, Activation, from_paths
from pcviz.experiment.activations import ACTIVATIONS
from pcviz.experiment.symmetry import misfit
from pcviz.jobs.training import Training
from pcviz.pcn import build
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import flat_weights, with_flat_weights

PLANAR = [name for name, facts in DATASETS.items() if facts.input_dim == 2]


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_symmetries_of_networks(activation: str, skips: bool) -> None:
    changes = {"network.activation": activation, "network.skips": skips, "network.depth": 5, "data.name": "xor"}
    experiment = from_paths({**changes, "dtype": "float64"})
    network = build(experiment)
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.standard_normal((64, 2)))
    (_, at), (_, mirrored), (_, scaled) = (forward(network, points) for points in (x, -x, 3 * x))
    assert np.allclose(mirrored, -at, rtol=1e-9, atol=1e-12) is ACTIVATIONS[activation].odd
    assert np.allclose(scaled, 3 * at, rtol=1e-9, atol=1e-12) is ACTIVATIONS[activation].homogeneous
    biased = build(experiment.changed({"network.biases": True}))
    shift = 0.1 * rng.standard_normal(flat_weights(biased).size)
    biased = with_flat_weights(biased, jnp.asarray(flat_weights(biased) + shift))
    (_, at), (_, mirrored), (_, scaled) = (forward(biased, points) for points in (x, -x, 3 * x))
    assert not np.allclose(mirrored, -at, rtol=1e-3) and not np.allclose(scaled, 3 * at, rtol=1e-3)


@pytest.mark.parametrize("name", PLANAR)
def test_symmetries_of_data(name: str) -> None:
    """The class at -x is that of the nearest point; along a ray, that of the point with the nearest angle."""
    experiment = from_paths({"data.name": name})
    data = load(experiment.data, 0, "float64")
    x, classes = np.asarray(data.x_train), np.argmax(data.y_train, axis=1)
    nearest = np.argmin(np.linalg.norm(x[None] + x[:, None], axis=2), axis=1)
    assert bool(np.mean(classes[nearest] == classes) > 0.85) is DATASETS[name].even
    order = np.argsort(np.arctan2(x[:, 1], x[:, 0]))
    along = classes[order]
    assert bool(np.mean(along == np.roll(along, 1)) < 0.7) is DATASETS[name].radial


@cache
def accuracy(name: str, activation: str, biases: bool = False) -> float:
    """The test accuracy that training ends with."""
    network = {"network.depth": 4, "network.width": 32, "network.activation": activation, "network.biases": biases}
    *_, last = Training(from_paths({"data.name": name, "learning.steps": 300, **network})).run(60.0)
    return float(last.values["test_accuracy"])


@pytest.mark.parametrize(("activation", "name"), [("tanh", "xor"), ("tanh", "circles"), ("relu", "circles")])
def test_what_is_called_a_misfit_is_not_learned_and_its_remedy_learns(activation: str, name: str) -> None:
    assert accuracy(name, activation) < 0.6
    assert accuracy(name, "gelu") > 0.9
    assert accuracy(name, activation, biases=True) > 0.9


def test_the_page_names_the_pair_and_a_remedy() -> None:
    said = misfit(from_paths({"data.name": "circles", "network.activation": "relu"}))
    assert said is not None and "Circles cannot be learned with relu" in said
    assert said.endswith("Switch on biases, or use gelu or silu.")
    assert misfit(from_paths({"data.name": "circles", "network.activation": "relu", "network.biases": True})) is None
    assert misfit(from_paths({"data.name": "spiral", "network.activation": "tanh"})) is None, "an odd spiral"
    assert misfit(from_paths({"data.name": "circles", "network.activation": "silu"})) is None
    assert misfit(from_paths({"network.activation": "relu"})) is None
