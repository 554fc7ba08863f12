"""A replay has, of earlier weight steps, the numbers that the training's own frames had; so has the network view."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.cost import Limits
from pcviz.figures import bindings
from pcviz.frames import Frame
from pcviz.instruments.network.job import NetworkView
from pcviz.instruments.panels import panel
from pcviz.instruments.predictions.job import Predictions
from pcviz.instruments.replay.channels import REPLAYED
from pcviz.instruments.replay.job import Replay, _stacked, planned
from pcviz.instruments.replay.options import BYTES, LEAST, MOST
from pcviz.instruments.training.boundary import Boundary
from pcviz.instruments.training.figures import PANELS
from pcviz.jobs import rerun
from pcviz.jobs.follower import Follower
from pcviz.jobs.training import Training
from tests.crossed import crossed

SMALL = {"network.depth": 5, "network.width": 12, "learning.steps": 24}
DIVERGES = {"network.depth": 8, "network.parameterisation": "sp", "network.activation": "linear", "learning.steps": 60}
DIVERGES |= {"learning.optimiser": "sgd", "learning.learning_rate": 5.0}


def trained(changes: dict[str, Any], step: int) -> Training:
    training = Training(from_paths({**SMALL, **changes}))
    training.prepare()
    training.advance(step, 600.0)
    return training


def worked(child: Any) -> list[Frame]:
    """Frames of a child, one after each of its pieces of work."""
    child.prepare()
    frames = []
    while not child.idle:
        child.advance(child.parent.step, 0.0)
        frames.append(child.frame(bulk=True))
    return frames


def shown(frames: list[Frame], part: str) -> Frame:
    """The last frame that has a channel."""
    return [frame for frame in frames if part in frame.values][-1]


CHANGES: list[dict[str, Any]] = [
    {"network.activation": "relu"},
    {"network.activation": "tanh"},
    {"network.activation": "linear"},
    {"learning.rule": "bp"},
    {"learning.rule": "ipc", "dtype": "float64"},
    {"data.name": "regression", "learning.batch_size": 8},
]


@pytest.mark.parametrize(("changes", "restored"), crossed(CHANGES, [False, True]), ids=str)
def test_rows_are_what_the_frames_of_the_training_had(changes: dict[str, Any], restored: bool) -> None:
    parent = trained(changes, 24)
    if restored:
        saved, parent = parent.checkpoint(), Training(parent.experiment)
        parent.restore(saved)
        parent.prepare()
    frame = shown(worked(Replay(parent.experiment, parent, {"until": 20})), "replay_steps")
    rows = {name.removeprefix("replay_"): np.asarray(value) for name, value in frame.values.items()}
    assert (frame.kind, frame.step, rows.pop("steps").tolist()) == ("replay", 20, [*range(1, 21)])
    once = Training(parent.experiment)
    once.prepare()
    for step in range(1, 21):
        once.advance(step, 600.0)
        expected = once.frame(bulk=True).values
        assert rows.keys() == set(REPLAYED) & expected.keys()
        for name, values in rows.items():
            np.testing.assert_array_equal(values[step - 1], expected[name], err_msg=name)
            assert values.dtype == np.asarray(expected[name]).dtype, name


def test_rows_come_in_ever_larger_frames_and_once() -> None:
    parent = trained({}, 12)
    child = Replay(parent.experiment, parent, {"until": 12})
    assert not child.done and child.place == 0
    counts = [len(np.asarray(f.values["replay_energy"])) for f in worked(child) if "replay_energy" in f.values]
    assert counts == [1, 2, 4, 8, 12] and child.idle and child.place == 12
    assert child.frame(bulk=True).values == {}


def test_it_waits_until_its_parent_is_there_and_ends_where_it_ended() -> None:
    parent = trained({}, 3)
    child = Replay(parent.experiment, parent, {"until": 4})
    assert child.idle
    parent.advance(4, 600.0)
    assert not child.idle
    parent = trained(DIVERGES, 60)
    assert parent.diverged and 0 < parent.step < 60
    frames = worked(Replay(parent.experiment, parent, {"until": 60}))
    assert frames[-1].step == parent.step
    assert np.asarray(shown(frames, "replay_steps").values["replay_steps"])[-1] == parent.step


def test_a_step_that_lacks_a_number_has_none() -> None:
    rows = [{"energy": np.ones(2)}, {"energy": np.zeros(2), "energy_left": np.array(0.5)}]
    np.testing.assert_array_equal(_stacked("energy_left", rows), [np.nan, 0.5])
    np.testing.assert_array_equal(_stacked("energy", rows), [[1, 1], [0, 0]])
    assert not _stacked("test_loss", rows).size


def test_without_memory_for_more_trainings_there_is_no_rerun(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = trained({}, 2)
    monkeypatch.setattr(rerun, "machine_limits", lambda: Limits(memory_bytes=1e5))
    with pytest.raises(ValueError, match=r"training again, which needs .* more, above 20 kB"):
        Replay(parent.experiment, parent, {"until": 2})
    NetworkView(parent.experiment, parent, {"example": 1})


def test_the_last_finite_weights_of_a_run_that_diverged_are_shown() -> None:
    told = set()
    for name, (kind, options, channel, changes) in FOLLOWERS.items():
        parent = trained(DIVERGES | {"learning.learning_rate": 10.0} | changes, 60)
        assert parent.diverged
        child = kind(parent.experiment, parent, options)
        frames = worked(child)
        assert child.done and child.step == parent.step
        if channel in frames[-1].values:
            told.add(name)
    assert "boundary" in told, "finite weights may be so large that a relaxation or an output is not finite"


@pytest.mark.parametrize(("depth", "steps"), [(16, 200), pytest.param(128, 150, marks=pytest.mark.slow), (512, 3)])
def test_rows_fit_the_budget(depth: int, steps: int) -> None:
    parent = trained({"network.depth": depth, "network.width": 4, "learning.batch_size": 8, "learning.steps": steps}, 2)
    parent.steps = 2
    row = worked(Replay(parent.experiment, parent, {"until": 2}))[-1]
    size = sum(np.asarray(value).nbytes for name, value in row.values.items() if name != "replay_steps") // 2
    chosen = planned(steps, size)
    assert chosen[0] == 1 and chosen[-1] == steps and (np.diff(chosen) > 0).all()
    assert np.diff(chosen).max() - np.diff(chosen).min() <= 1
    assert len(chosen) <= MOST and (len(chosen) * size <= BYTES or len(chosen) <= LEAST)
    assert len(chosen) in {16: [MOST], 128: range(40, MOST), 512: [3]}[depth]


FOLLOWERS: dict[str, tuple[type[Follower], dict[str, Any], str, dict[str, Any]]] = {
    "network, relu": (NetworkView, {"example": 3, "layer": 2}, "network_error", {}),
    "network, tanh": (NetworkView, {"example": 3, "layer": 2}, "network_error", {"network.activation": "tanh"}),
    "predictions": (Predictions, {}, "confusion", {}),
    "regression": (Predictions, {}, "tested_output", {"data.name": "regression", "learning.batch_size": 16}),
    "boundary": (Boundary, {}, "boundary", {"data.name": "moons"}),
}


@pytest.mark.parametrize(("name", "at"), crossed(FOLLOWERS, [0, 1, 7, 20]))
def test_what_follows_from_the_weights_of_an_earlier_step_is_that_of_then(name: str, at: int) -> None:
    kind, options, channel, changes = FOLLOWERS[name]
    then = trained(changes, at)
    expected = shown(worked(kind(then.experiment, then, options)), channel).values
    parent = trained(changes, 24)
    if at == 20:
        worked(Replay(parent.experiment, parent, {"until": 24}))  # leaves marks on the way
        assert parent.marks is not None
    child = kind(parent.experiment, parent, {**options, "at": at})
    frame = shown(worked(child), channel)
    assert (frame.step, frame.values["asked_at"]) == (at, at) and np.isnan(expected["asked_at"])
    assert frame.values.keys() == expected.keys()
    for part in expected.keys() - {"asked_at"}:
        np.testing.assert_array_equal(frame.values[part], expected[part], err_msg=part)
    assert child.idle and child.done, "once"


def test_reruns_go_on_from_marks() -> None:
    parent = trained({}, 24)
    worked(Replay(parent.experiment, parent, {"until": 24}))
    child = NetworkView(parent.experiment, parent, {"at": 23})
    child.prepare()
    assert child._rerun is not None
    training = child._rerun.training
    child.advance(23, 0.0)
    assert 23 - training.step < 4


def test_steps_must_be_there() -> None:
    training = Training(from_paths(SMALL))
    with pytest.raises(ValueError, match=r"until: 25 is above 24 \(allowed: 1 to 24\)"):
        Replay(training.experiment, training, {"until": 25})
    with pytest.raises(ValueError, match="until"):
        Replay(training.experiment, training, {"until": 0})
    with pytest.raises(ValueError, match=r"at: 25 is above 24 \(allowed: 0 to 24\)"):
        NetworkView(training.experiment, training, {"at": 25})


def test_all_that_panels_draw_of_the_latest_frame_is_replayed() -> None:
    for changes in ({}, {"network.activation": "linear"}, {"network.depth": 40}):
        experiment = from_paths(changes)
        for name in PANELS:
            for bound in bindings(panel(name, experiment).figure):
                if (bound.kind, bound.mode) == ("train", "replace"):
                    assert {bound.x, bound.y, bound.z, bound.text} - {None} <= set(REPLAYED), name


def test_the_default_run_is_replayed_in_rows_that_are_close() -> None:
    assert len(planned(Experiment().learning.steps, 2_500)) == MOST
