"""One example on its way: every number is that of the Python interface, at every step."""

import numpy as np
import pytest

from pcviz import build, relax
from pcviz.data import load
from pcviz.experiment import Experiment, from_paths
from pcviz.numerics.krylov import finish
from pcviz.pcn import backprop
from pcviz.probes.example import Example, follow


def followed(experiment: Experiment, place: int = 3) -> tuple[Example, tuple]:
    data = load(experiment.data, experiment.seed, experiment.dtype)
    network, x, y = build(experiment), data.x_test[place : place + 1], data.y_test[place : place + 1]
    marks = range(experiment.relaxation_steps + 1)
    return finish(follow(network, x, y, experiment.inference, marks, seed=experiment.seed)), (network, x, y)


@pytest.mark.parametrize("depth", [5, 33])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_every_number_is_that_of_a_relaxation_of_so_many_steps(depth: int, activation: str) -> None:
    experiment = from_paths({"network.depth": depth, "network.activation": activation})
    found, batch = followed(experiment)
    for t in sorted({0, 1, 2, depth // 2, depth - 1}):
        expected = relax(*batch, experiment.inference, t)
        np.testing.assert_array_equal(found.energies[t], expected.energies[-1])
        for shown, layers in ((found.activities, expected.activities), (found.errors, expected.errors)):
            assert all(np.array_equal(own[t], layer[0]) for own, layer in zip(shown, layers, strict=True))


def test_predictions_are_what_errors_are_measured_from() -> None:
    found, (_, _, y) = followed(from_paths({"network.depth": 6, "network.activation": "tanh", "dtype": "float64"}))
    for z, mu, e in zip(
        [*found.activities, np.broadcast_to(y, found.predictions[-1].shape)],
        found.predictions,
        found.errors,
        strict=True,
    ):
        np.testing.assert_allclose(z - mu, e, rtol=1e-9, atol=1e-14)
    for t in range(len(found.steps)):
        ahead = [bool((mu[t] == mu[0]).all()) for mu in found.predictions]
        assert ahead == [l + 1 <= max(1, 6 - t) for l in range(6)], (
            "a prediction changes one step after the layer below"
        )


def test_of_a_relaxation_that_overflows_the_finite_states_stay() -> None:
    unstable = {"network.depth": 5, "network.activation": "linear", "inference.step_size": 100, "inference.steps": 64}
    found, _ = followed(from_paths(unstable))
    begun = found.finite
    assert 1 < len(begun.steps) < len(found.steps) and not np.isfinite(found.energies[len(begun.steps)]).all()
    assert np.isfinite(begun.energies).all() and all(np.isfinite(z).all() for z in begun.activities)
    np.testing.assert_array_equal(begun.errors[2], found.errors[2][: len(begun.steps)])
    whole, _ = followed(from_paths({"network.depth": 5}))
    assert len(whole.finite.steps) == len(whole.steps)


def test_beside_it_is_backpropagation_of_the_same_example() -> None:
    found, batch = followed(from_paths({"network.depth": 5}))
    for shown, delta in zip(found.deltas, backprop(*batch).deltas, strict=True):
        np.testing.assert_array_equal(shown, delta[0])
