"""Predictions: a child says what the feedforward pass of its parent's network says, about the right examples."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import confusion_matrix

from pcviz import build
from pcviz.data import hold, load
from pcviz.data.batches import batch_indices
from pcviz.experiment import from_paths
from pcviz.instruments import CHANNELS
from pcviz.instruments.predictions.job import Predictions, outputs
from pcviz.instruments.predictions.options import PIECE, image_side
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import finish
from pcviz.pcn import Network, feedforward
from pcviz.store.values import encode_values

SMALL = {"network.depth": 4, "network.width": 16, "network.activation": "tanh", "learning.steps": 20}


def said_by(network: Network, x: np.ndarray) -> np.ndarray:
    """Outputs of the feedforward pass for all inputs at once."""
    return np.asarray(feedforward(network, jnp.asarray(x))[1])


def answered(step: int, options: dict[str, Any] | None = None, **changes: Any) -> tuple[Training, dict[str, Any]]:
    """A training at a step, and the channels of its predictions there."""
    changed = {key.replace("__", "."): value for key, value in changes.items()}
    training = Training(from_paths({**SMALL, **changed}))
    child = Predictions(training.experiment, training, options)
    assert child.idle, "the parent is not prepared yet"
    child.prepare()
    training.prepare()
    training.advance(step, 60.0)
    while not child.idle:
        child.advance(step, 0.0)
    frame = child.frame(bulk=True)
    assert (frame.kind, frame.step) == ("predictions", step)
    assert child.frame(bulk=True).values == {}, "once"
    return training, frame.values


@pytest.mark.parametrize(
    ("step", "changes"), [(0, {}), (12, {}), (12, {"data__name": "moons", "data__test_size": 3 * PIECE + 7})]
)
def test_the_confusion_matrix_counts_classes_and_answers(step: int, changes: dict[str, Any]) -> None:
    training, values = answered(step, **changes)
    data = training.data
    output = said_by(training.network, data.x_test)
    expected = confusion_matrix(data.y_test.argmax(1), output.argmax(1), labels=range(output.shape[1]))
    np.testing.assert_array_equal(values["confusion"], expected)
    accuracy = training.frame(bulk=True).values["test_accuracy"]
    assert np.trace(values["confusion"]) / len(data.x_test) == pytest.approx(accuracy, rel=1e-14)
    assert (values["tested"], values["mistakes"]) == (len(data.x_test), expected.sum() - np.trace(expected))


@pytest.mark.parametrize("loss", ["mse", "ce"])
def test_the_worst_mistakes_are_wrong_and_come_first(loss: str) -> None:
    training, values = answered(12, network__loss=loss)
    data, output = training.data, said_by(training.network, training.data.x_test)
    true, said = data.y_test.argmax(1), output.argmax(1)
    place, margin = values["mistake_place"], values["mistake_margin"]
    assert len(place) == min(24, values["mistakes"]) > 1 and len(set(place)) == len(place)
    np.testing.assert_array_equal(values["mistake_class"], true[place])
    np.testing.assert_array_equal(values["mistake_predicted"], said[place])
    assert (true[place] != said[place]).all() and (np.diff(margin) <= 0).all() and margin[-1] >= 0
    of_all = output[np.arange(len(true)), said] - output[np.arange(len(true)), true]
    np.testing.assert_allclose(margin, np.sort(of_all)[::-1][: len(place)], rtol=1e-5)
    np.testing.assert_array_equal(values["mistake_shade"], data.shades(data.x_test[place]))


def test_examples_are_those_of_the_test_set_and_of_the_batch_just_learned() -> None:
    training, values = answered(12, {"examples": 5})
    data, experiment = training.data, training.experiment
    np.testing.assert_array_equal(values["sample_place"], range(5))
    np.testing.assert_array_equal(values["sample_shade"], data.shades(data.x_test[:5]))
    np.testing.assert_array_equal(values["sample_class"], data.y_test[:5].argmax(1))
    batch = batch_indices(experiment.seed, 11, len(data.x_train), experiment.learning.batch_size)[:5]
    np.testing.assert_array_equal(values["batch_place"], batch)
    np.testing.assert_array_equal(values["batch_shade"], data.shades(data.x_train[batch]))
    np.testing.assert_array_equal(values["batch_class"], data.y_train[batch].argmax(1))
    said = said_by(training.network, data.x_train[batch]).argmax(1)
    np.testing.assert_array_equal(values["batch_predicted"], said)
    assert len(values["mistake_place"]) == 5


def test_at_step_0_there_is_no_batch_yet() -> None:
    _, values = answered(0)
    assert values["batch_place"].shape == (0,) and values["batch_shade"].shape == (0, 64)


def test_channels_have_their_declared_dimensions() -> None:
    sizes = {"Y": 10, "Z": 24, "O": 24, "I": 24, "D": 64}
    _, values = answered(1)
    for name, value in values.items():
        assert np.shape(value) == tuple(sizes[dim] for dim in CHANNELS[name].dims), name
    assert len(encode_values(values)) < 40_000


def test_points_of_the_plane_are_marked_where_the_answer_is_wrong() -> None:
    training, values = answered(12, data__name="moons", data__test_size=2100)
    data = training.data
    true, said = data.y_test.argmax(1), said_by(training.network, data.x_test).argmax(1)
    np.testing.assert_array_equal(np.stack([values["tested_x"], values["tested_y"]], 1), data.x_test[:2000])
    np.testing.assert_array_equal(values["tested_wrong"], (true != said)[:2000])
    np.testing.assert_array_equal(values["tested_label"], said[:2000] + 1)


def test_a_regression_pairs_targets_and_outputs() -> None:
    training, values = answered(12, data__name="regression", learning__batch_size=8)
    output = said_by(training.network, training.data.x_test)
    np.testing.assert_array_equal(values["tested_output"], output[:, 0])
    np.testing.assert_array_equal(values["tested_target"], training.data.y_test[:, 0])
    assert set(values) == {"tested_output", "tested_target", "asked_at"}


def test_own_data_is_answered_too() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 9)), rng.integers(0, 3, 60)
    name = hold(x[:40], y[:40], x[40:], y[40:])
    training, values = answered(3, data__name=name, learning__batch_size=10)
    assert values["confusion"].sum() == 20 and values["confusion"].shape == (3, 3)
    assert image_side(training.experiment.data.facts) == 3
    np.testing.assert_array_equal(values["batch_shade"].shape, (10, 9))
    np.testing.assert_array_equal(
        values["mistake_shade"], training.data.shades(training.data.x_test[values["mistake_place"]])
    )


@pytest.mark.parametrize("count", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_pieces_give_the_outputs_of_the_whole(count: int) -> None:
    experiment = from_paths(SMALL)
    network, x = build(experiment), load(experiment.data, 0, "float32").x_train[:count]
    assert finish(outputs(network, x)) == pytest.approx(said_by(network, x), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("examples", [0, 49, 2.5])
def test_a_number_of_examples_has_limits(examples: float) -> None:
    training = Training(from_paths(SMALL))
    with pytest.raises(ValidationError, match="examples"):
        Predictions(training.experiment, training, {"examples": examples})
