"""The relaxation of a weight step is recorded where a frame carries it, and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pcviz.experiment import cost, from_paths
from pcviz.frames import STEP_ROWS, trace_rows
from pcviz.jobs.training import Training
from pcviz.pcn.network import flat_weights

EXPERIMENT = from_paths(
    {
        "network.depth": 6,
        "network.width": 8,
        "data.name": "moons",
        "inference.solver": "gradient_descent",
        "inference.steps": 60,
        "learning.batch_size": 8,
        "learning.steps": 9,
    }
)
TRACE = ("trace_steps", "energy_trace", "total_energy_trace", "update_rms")


def at(step: int, *, bulk: bool, upto: int = 9) -> Training:
    """A training that stopped at `step` on its way to step `upto`."""
    training = Training(EXPERIMENT.changed({"learning.steps": upto}))
    training.prepare()
    while training.step < step:
        training.advance(upto, 0.0, bulk=bulk)
    return training


def test_a_relaxation_that_was_not_recorded_is_computed_again() -> None:
    recorded, not_recorded = at(4, bulk=True), at(4, bulk=False)
    assert recorded.detailed and not not_recorded.detailed
    now, later = (training.frame(bulk=True).values for training in (recorded, not_recorded))
    assert not_recorded.detailed
    for name in TRACE:
        np.testing.assert_array_equal(now[name], later[name], err_msg=name)
    # Many steps in one call: the last of them.
    together = Training(EXPERIMENT)
    together.prepare()
    together.advance(4, 1e9)
    for name in TRACE:
        np.testing.assert_array_equal(now[name], together.frame(bulk=True).values[name], err_msg=name)


def test_the_last_row_is_the_state_that_weights_learn_from() -> None:
    values = at(4, bulk=True).frame(bulk=True).values
    rows = np.asarray(values["trace_steps"])
    assert rows[0] == 0 and rows[-1] == 60 and len(rows) <= STEP_ROWS
    np.testing.assert_array_equal(rows, trace_rows(60, STEP_ROWS))
    np.testing.assert_array_equal(np.asarray(values["energy_trace"])[-1], values["energy"])
    start = np.asarray(values["total_energy_trace"])[0]
    assert values["energy_left"] == pytest.approx(np.sum(values["energy"]) / start)


@pytest.mark.parametrize("long", [False, True], ids=["whole steps", "long steps"])
def test_recording_changes_no_number(long: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LONG_STEP_FLOPS", 0 if long else np.inf)
    often, never = at(7, bulk=True), at(7, bulk=False)
    np.testing.assert_array_equal(flat_weights(often.network), flat_weights(never.network))


def test_a_long_step_is_recorded_from_its_beginning_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LONG_STEP_FLOPS", 0)
    training = Training(EXPERIMENT)
    training.prepare()
    training.advance(9, 0.0)  # in the middle of the first step
    assert training.step == 0
    while training.step < 1:
        training.advance(9, 0.0, bulk=True)
    assert not training.detailed and "energy_trace" not in training.frame(bulk=True).values
    while training.step < 2:
        training.advance(9, 0.0)
    assert training.detailed and "energy_trace" in training.frame(bulk=True).values


def test_the_frames_of_a_run_carry_it_now_and_then_and_at_the_end() -> None:
    frames = list(Training(EXPERIMENT.changed({"learning.steps": 400})).run(0.0))
    carrying = [frame.step for frame in frames if "energy_trace" in frame.values]
    assert carrying[-1] == frames[-1].step == 400
    assert 1 < len(carrying) < len(frames) / 4
