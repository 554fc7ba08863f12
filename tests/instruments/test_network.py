"""The network view: codes lose little and never an exact zero, pictures fit, a child shows its parent's weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pcviz import relax, weight_gradients
from pcviz.experiment import from_paths
from pcviz.instruments.network.codes import LEVELS, encoded, folded
from pcviz.instruments.network.job import NetworkView, exact, packed, recorded_steps
from pcviz.instruments.network.options import CELLS, COLUMNS, DECADES, LEAST, UNITS
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import finish
from pcviz.pcn.network import weights
from pcviz.probes.example import Example, follow
from pcviz.store.values import encode_values
from tests.descent import DESCENT

SMALL = {**DESCENT, "network.depth": 6, "network.width": 16, "network.activation": "tanh", "learning.steps": 3}


def decoded(codes: np.ndarray) -> np.ndarray:
    """The inverse of `encoded`, but for rounding, float64."""
    level = np.asarray(codes, np.float64) % 128
    magnitude = np.where(level > 0, LEAST * 10 ** ((level - 1) / (LEVELS - 1) * DECADES), 0.0)
    return np.where(np.asarray(codes) >= 128, -magnitude, magnitude)


@given(st.floats(1e-12, 1e2), st.sampled_from([-1, 1]))
def test_codes_keep_sign_and_size(magnitude: float, sign: int) -> None:
    value = np.array([sign * magnitude])
    assert decoded(encoded(value)) == pytest.approx(value, rel=0.14)


def test_only_an_exact_zero_is_zero() -> None:
    values = np.array([0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan])
    codes = encoded(values)
    assert codes.tolist() == [0, 0, 1, 129, 127, 255, 127, 255, 127]
    assert np.sign(decoded(codes)).tolist() == [0, 0, 1, -1, 1, -1, 1, -1, 1]


@given(arrays(np.float64, (3, 7), elements=st.floats(-1e3, 1e3)), st.integers(1, 9))
def test_folding_shows_the_greatest_magnitude(values: np.ndarray, most: int) -> None:
    shown = folded(values, most)
    assert shown.shape == (3, min(most, 7))
    np.testing.assert_array_equal(np.abs(shown).max(-1), np.abs(values).max(-1))
    assert all(set(row) <= set(whole) for row, whole in zip(shown, values, strict=True))


@given(st.integers(0, 4096), st.integers(1, 511), st.integers(1, 2048))
def test_recorded_steps_hold_first_and_last_and_fit(steps: int, hidden: int, width: int) -> None:
    rows = recorded_steps(steps, hidden, width)
    assert rows[0] == 0 and rows[-1] == steps and (np.diff(rows) > 0).all()
    assert len(rows) * min(hidden, COLUMNS) * min(width, UNITS) <= CELLS or len(rows) == 2


def example(hidden: int, width: int, rows: int) -> Example:
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal((rows, width)).astype(np.float32) for _ in range(hidden)]
    output = rng.standard_normal((rows, 10)).astype(np.float32)
    deltas = [rng.standard_normal(width) for _ in range(hidden)]
    energies = rng.random((rows, hidden + 1))
    ends = [*deltas, output[0]]
    return Example(np.arange(rows), layers, [*layers, output], [*layers, output], energies, ends, ends)


@pytest.mark.parametrize(("depth", "width"), [(2, 1), (16, 64), (128, 64), (512, 64), (8, 2048)])
def test_a_picture_takes_a_megabyte_at_most(depth: int, width: int) -> None:
    steps, hidden = max(15, depth - 1), depth - 1
    rows = len(recorded_steps(steps, hidden, width))
    values = packed(example(hidden, width, rows), np.zeros(64), np.zeros(10), np.zeros(64, np.uint8))
    columns, units = min(hidden, COLUMNS), min(width, UNITS)
    assert values["network_error"].shape == (rows, columns, units)  # type: ignore[union-attr]
    assert len(encode_values(values)) <= 1_050_000
    ends = np.asarray(values["network_columns"])
    assert ends[0, 0] == 1 and ends[-1, 1] == depth - 1 and (ends[1:, 0] == ends[:-1, 1] + 1).all()


@pytest.mark.parametrize(("depth", "width", "steps"), [(2, 1, 15), (16, 64, 4096), (8, 2048, 445), (512, 64, 511)])
def test_all_numbers_of_a_layer_take_a_megabyte_more(depth: int, width: int, steps: int) -> None:
    rows = len(recorded_steps(steps, depth - 1, width, whole=width))
    assert rows >= 2
    assert len(encode_values(exact(example(depth - 1, width, rows), np.zeros(10), 1))) <= 1_400_000


def test_a_child_shows_the_example_on_the_present_weights_of_its_parent() -> None:
    experiment = from_paths(SMALL)
    training = Training(experiment)
    child = NetworkView(experiment, training, {"example": 5})
    assert child.idle, "the parent is not prepared yet"
    training.prepare()
    child.prepare()
    for step in (0, 2):
        training.advance(step, 60.0)
        assert not child.idle
        while not child.idle:
            child.advance(step, 0.0)
        frame = child.frame(bulk=True)
        data = training.data
        x, y = data.x_test[5:6], data.y_test[5:6]
        expected = finish(follow(training.network, x, y, experiment.inference, range(6)))
        assert (frame.kind, frame.step, frame.values["network_example"]) == ("network", step, 5)
        np.testing.assert_array_equal(
            frame.values["network_error"], np.stack([encoded(e) for e in expected.errors[:-1]], 1)
        )
        np.testing.assert_array_equal(frame.values["network_output"], expected.predictions[-1])
        np.testing.assert_array_equal(frame.values["network_energy"], expected.energies)
        assert child.frame(bulk=True).values == {}, "once"


@pytest.mark.parametrize("layer", [1, 4, 6])
def test_the_numbers_of_a_layer_are_sent_as_computed(layer: int) -> None:
    experiment = from_paths(SMALL)
    training = Training(experiment)
    child = NetworkView(experiment, training, {"example": 2, "layer": layer})
    training.prepare()
    child.prepare()
    while not child.idle:
        child.advance(0, 60.0)
    values = child.frame(bulk=True).values
    x, y = training.data.x_test[2:3], training.data.y_test[2:3]
    relaxed = relax(training.network, x, y, experiment.inference)
    held = y if layer == 6 else relaxed.activities[layer - 1]
    np.testing.assert_array_equal(np.asarray(values["layer_activity"])[-1], held[0])
    np.testing.assert_array_equal(np.asarray(values["layer_error"])[-1], relaxed.errors[layer - 1][0])
    gradient = np.asarray(weight_gradients(training.network, x, y, relaxed)[layer - 1], np.float64)
    np.testing.assert_allclose(values["layer_gradient"], np.linalg.norm(gradient, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(values["layer_weights"], weights(training.network)[layer - 1])


@pytest.mark.parametrize("layer", [1, 4, 6])
def test_with_biases_the_weight_matrix_of_a_layer_is_sent(layer: int) -> None:
    experiment = from_paths({**SMALL, "network.biases": True})
    training = Training(experiment)
    child = NetworkView(experiment, training, {"example": 2, "layer": layer})
    training.prepare()
    training.advance(3, 60.0)
    child.prepare()
    while not child.idle:
        child.advance(0, 60.0)
    values, own = child.frame(bulk=True).values, weights(training.network)[layer - 1]
    assert np.any(own["bias"])
    np.testing.assert_array_equal(values["layer_weights"], own["weight"])
    x, y = training.data.x_test[2:3], training.data.y_test[2:3]
    relaxed = relax(training.network, x, y, experiment.inference)
    gradient = np.asarray(weight_gradients(training.network, x, y, relaxed)[layer - 1]["weight"], np.float64)
    np.testing.assert_allclose(values["layer_gradient"], np.linalg.norm(gradient, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(values["layer_error"])[-1], relaxed.errors[layer - 1][0])


def test_an_example_and_a_layer_must_be_there() -> None:
    training = Training(from_paths(SMALL))
    with pytest.raises(ValueError, match=r"example: 360 is above 359 \(allowed: 0 to 359\)"):
        NetworkView(training.experiment, training, {"example": 360})
    with pytest.raises(ValueError, match=r"layer: 7 is above 6 \(allowed: 1 to 6\)"):
        NetworkView(training.experiment, training, {"layer": 7})
