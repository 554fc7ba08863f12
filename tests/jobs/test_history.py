"""The history by weight step: chosen by number alone, whole however it is cut, extremes kept."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pcviz
from pcviz.experiment import from_paths
from pcviz.jobs.history import History, thinned
from pcviz.jobs.training import Training
from pcviz.pcn.network import flat_weights

SMALL = {"network.depth": 4, "network.width": 8, "data.name": "moons", "learning.steps": 400}
SIGNS_ABOVE = np.array([-500.0, 0.0, 500.0, 999.0])
DIVERGING = {"network.activation": "linear", "learning.optimiser": "sgd", "learning.learning_rate": 100.0}


@given(st.integers(1, 100_000))
def test_which_steps_are_recorded(steps: int) -> None:
    rows, tests = (getattr(History(steps, 10), name) for name in ("rows", "tests"))
    assert np.all(np.diff(rows) > 0) and rows[0] == 1 and rows[-1] == tests[-1] == steps
    assert len(rows) >= min(steps, 200) and len(tests) >= min(steps, 50) and set(tests) <= set(rows)
    assert list(rows[rows <= 256]) == list(range(1, min(steps, 256) + 1))
    assert np.all(np.diff(rows)[255:] <= rows[256:] / 128), "no gap above 1/128 of the way"
    assert len(rows) <= 256 + 128 * max(0, np.ceil(np.log2(steps / 256))) + 160


@given(st.integers(1, 5_000), st.integers(1, 5_000))
def test_a_longer_training_begins_like_a_shorter_one(one: int, other: int) -> None:
    least, most = sorted((one, other))
    assert thinned(most, 4)[: len(thinned(least, 4))].tolist() == thinned(least, 4).tolist()


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=700), st.lists(st.integers(1, 90), min_size=1), st.data())
def test_rows_do_not_depend_on_where_it_is_cut(losses: list[float], cuts: list[int], data: st.DataObject) -> None:
    history, step, found = History(700, 7), 0, []
    while step < len(losses):
        count = min(cuts[len(found) % len(cuts)], len(losses) - step)
        made = np.array(losses[step : step + count])
        steps = range(step + 1, step + count + 1)
        course = made, made[:, None] * [1, 2], made[:, None] * [0, 1]
        history.take(steps, np.zeros(count), course, made[:, None] > SIGNS_ABOVE)
        step += count
        if data.draw(st.booleans()):  # a checkpoint, and another process
            saved, history = history.saved(), History(700, 7)
            history.restore(saved)
        found.append(history.drained(2))
    rows = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    recorded = [row for row in History(700, 7).rows if row <= len(losses)]
    assert rows["step_history"].tolist() == recorded
    assert rows["energy_history"].tolist() == [[losses[row - 1], 2 * losses[row - 1]] for row in recorded]
    assert rows["total_energy_history"].tolist() == [losses[row - 1] + 2 * losses[row - 1] for row in recorded]
    for before, row, told in zip([0, *recorded], recorded, rows["train_loss_history"], strict=False):
        window = losses[before:row]
        assert told.tolist() == [window[-1], min(window), max(window)]
    for before, row, told in zip([0, *recorded], recorded, rows["sign_history"], strict=False):
        begun = np.array(losses[before:row])[:, None] > SIGNS_ABOVE
        np.testing.assert_array_equal(told, np.where(begun.any(0), losses[row - 1], np.nan))


def table(training: Training, seconds: float) -> pd.DataFrame:
    return pcviz.history(training.run(seconds))


@pytest.mark.parametrize("rule", ["pc", "bp"])
def test_equal_trainings_have_equal_histories(rule: str) -> None:
    """Cut into one slice or many, it is the same but for its times."""
    experiment = from_paths({**SMALL, "learning.rule": rule})
    one, many = table(Training(experiment), 100.0), table(Training(experiment), 1e-3)
    assert one.step.tolist() == History(400, 1).rows.tolist()
    assert (np.diff(one.seconds) >= 0).all() and one.epoch.tolist() == pytest.approx(
        one.step / experiment.steps_per_epoch
    )
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), many.drop(columns="seconds"), check_exact=True)
    tested = one[one.test_loss.notna()]
    assert tested.step.tolist() == History(400, 1).tests.tolist() and tested.test_accuracy.between(0, 1).all()


def test_rows_say_what_single_steps_say() -> None:
    training, energies, weights = Training(from_paths({**SMALL, "learning.steps": 12})), [], []
    training.prepare()
    frames = []
    while not training.done:
        weights.append(flat_weights(training.network))
        training.advance(training.step + 1, 10.0)
        frames.append(training.frame(bulk=True))
        energies.append(frames[-1].values["energy"])
    weights.append(flat_weights(training.network))
    found = pcviz.history(frames)
    layers = [f"energy_{layer}" for layer in range(1, 5)]
    np.testing.assert_array_equal(found[layers].to_numpy(), energies)
    np.testing.assert_array_equal(found.test_loss, [frame.values["test_loss"] for frame in frames])
    total = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(weights)]
    changes = found[[f"weight_change_{layer}" for layer in range(1, 5)]].to_numpy()
    assert (changes.min(1) <= total).all() and (changes.max(1) >= total).all(), "of layers: around that of all"


def test_the_last_finite_step_is_recorded() -> None:
    training = Training(from_paths({**SMALL, **DIVERGING, "learning.steps": 100_000}))
    found = table(training, 0.05)
    assert training.diverged and found.step.iloc[-1] == training.step
    assert np.isfinite(found[["train_loss", "total_energy"]].iloc[-1]).all()


def test_nothing_was_made() -> None:
    assert len(pcviz.history([])) == 0 and "train_loss" in pcviz.history([])
