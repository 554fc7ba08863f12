"""Training: what a run reports is reproducible bitwise, however it is cut into slices, paused or resumed."""

from itertools import pairwise

import numpy as np
import pytest

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.frames import TRACE_ROWS
from pcviz.instruments import CHANNELS
from pcviz.jobs.training import Training
from pcviz.pcn.network import flat_weights

SMALL = {"network.depth": 5, "network.width": 16, "learning.steps": 24}


def prepared(**changes: object) -> Training:
    training = Training(from_paths({**SMALL, **changes}))
    training.prepare()
    return training


def losses(training: Training, until: int) -> list[float]:
    """Training losses of each step, one frame a step."""
    found = []
    while training.step < until:
        training.advance(training.step + 1, 10.0)
        found.append(training.frame(bulk=False).values["train_loss"])
    return found


def test_it_learns_digits() -> None:
    """The default network learns: more than 85 % of unseen digits after 60 weight steps."""
    last: dict[str, object] = {}
    training = Training(from_paths({"learning.steps": 60}))
    for frame in training.run():
        last |= frame.values
    assert training.step == 60 and training.done and not training.diverged
    assert last["test_accuracy"] > 0.85


@pytest.mark.parametrize("rule", ["pc", "ipc", "bp"])
def test_slices_do_not_change_results(rule: str) -> None:
    changes = {"learning.rule": rule, "learning.learning_rate": 0.005}
    one, other = prepared(**changes), prepared(**changes)
    one.advance(24, 100.0)
    curve = losses(other, 24)
    assert one.frame(bulk=False).values["train_loss_history"][:, 0].tolist() == curve
    np.testing.assert_array_equal(flat_weights(one.network), flat_weights(other.network))


@pytest.mark.parametrize(
    "changes", [{}, {"inference.initial": "normal"}, {"learning.rule": "ipc"}, {"network.biases": True}]
)
def test_a_restored_run_goes_on_bitwise(changes: dict[str, object]) -> None:
    undisturbed, first = prepared(**changes), prepared(**changes)
    whole = losses(undisturbed, 24)
    losses(first, 10)
    saved = first.checkpoint()
    resumed = Training(first.experiment)
    resumed.restore(saved)
    resumed.prepare()
    assert resumed.step == 10
    assert losses(resumed, 24) == whole[10:]
    np.testing.assert_array_equal(flat_weights(resumed.network), flat_weights(undisturbed.network))


def test_long_steps_in_slices_reach_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is cut into relaxation chunks is the same mathematics; where it is cut does not matter at all."""
    whole = prepared(**{"learning.steps": 3, "dtype": "float64"})
    whole.advance(3, 100.0)
    monkeypatch.setattr(cost, "LONG_STEP_FLOPS", 0)
    weights = []
    for seconds in (0.0, 100.0):
        cut = prepared(**{"learning.steps": 3, "dtype": "float64"})
        while not cut.done:
            cut.advance(3, seconds)
        weights.append(flat_weights(cut.network))
    np.testing.assert_array_equal(*weights)
    np.testing.assert_allclose(weights[0], flat_weights(whole.network), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        {"inference.solver": "gradient_descent", "inference.step_size": 0.3},
        {"learning.rule": "ipc", "learning.learning_rate": 0.005},
        {"inference.solver": "adam", "inference.initial": "normal"},
        {"inference.solver": "momentum", "learning.optimiser": "sgd"},
        {"inference.solver": "error_based"},
        {"dtype": "float64", "network.loss": "ce"},
    ],
)
def test_a_long_step_goes_on_from_its_middle_bitwise(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "LONG_STEP_FLOPS", 0)
    changes = {"inference.steps": 40, "learning.steps": 3, **changes}
    undisturbed, first = prepared(**changes), prepared(**changes)
    undisturbed.advance(3, 1e6)
    first.advance(1, 1e6)
    first.advance(2, 0.0)
    saved = first.checkpoint()
    assert int(saved["step"]) == 1 and 0 < int(saved["inference_step"]) < 40
    for early in (True, False):
        resumed = Training(first.experiment)
        if early:
            resumed.restore(saved)
        resumed.prepare()
        if not early:
            resumed.restore(saved)
        assert int(resumed.checkpoint()["inference_step"]) == int(saved["inference_step"])
        resumed.advance(3, 1e6)
        whole, mine = (training.frame(bulk=True).values for training in (undisturbed, resumed))
        for name in ("energy", "energy_trace", "update_rms", "test_loss"):
            np.testing.assert_array_equal(mine[name], whole[name])
        for name, array in undisturbed.checkpoint().items():
            if name != "seconds":
                np.testing.assert_array_equal(resumed.checkpoint()[name], array)


def test_a_checkpoint_without_a_step_under_way_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints of the first release hold no more than this."""
    monkeypatch.setattr(cost, "LONG_STEP_FLOPS", 0)
    training = prepared()
    training.advance(2, 1e6)
    saved = training.checkpoint()
    assert {name for name in saved if not name.startswith(("leaf_", "history_", "watch_"))} == {
        "step",
        "seconds",
        "diverged",
    }
    training.advance(3, 0.0)
    training.restore(saved)
    assert training.checkpoint().keys() == saved.keys()


def test_a_frame_fills_channels_of_the_table() -> None:
    training = prepared()
    training.advance(4, 100.0)
    values = training.frame(bulk=True).values
    rows = training.experiment.inference_steps + 1
    sizes = {"L": 5, "H": 4, "R": rows, "K": 4, "3": 3, "4": 4}
    for name, value in values.items():
        assert np.shape(value) == tuple(sizes[dim] for dim in CHANNELS[name].dims), name
    assert values["total_energy"] == pytest.approx(values["energy"].sum())
    np.testing.assert_array_equal(values["energy_trace"][-1], values["energy"])


def test_a_long_relaxation_is_recorded_in_few_rows() -> None:
    changes = {"inference.solver": "gradient_descent", "inference.steps": 700, "inference.step_size": 0.1}
    training = prepared(**changes, **{"network.activation": "tanh"})
    training.advance(1, 100.0)
    values = training.frame(bulk=True).values
    assert len(values["trace_steps"]) == len(values["energy_trace"]) <= TRACE_ROWS
    assert values["trace_steps"][-1] == 700
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in pairwise(values["total_energy_trace"]))


def test_a_linear_network_knows_its_equilibrium() -> None:
    """The relaxation comes down to the energy that theory.md 3.7 gives for the same weights and batch."""
    training = prepared(**{"network.activation": "linear", "inference.steps": 4000, "dtype": "float64"})
    training.advance(1, 100.0)
    values = training.frame(bulk=True).values
    assert values["total_energy_trace"][-1] == pytest.approx(values["equilibrium_energy"], rel=1e-6)


def test_divergence_ends_the_run_and_its_last_finite_numbers_stand() -> None:
    training = prepared(
        **{"network.parameterisation": "sp", "learning.optimiser": "sgd", "learning.learning_rate": 50.0}
    )
    frames = list(training.run())
    assert training.diverged and training.done and training.step < 24
    assert np.isfinite(frames[-1].values["energy"]).all()


def test_the_relaxation_shown_is_that_of_the_last_finite_step_whatever_came_at_once() -> None:
    wild = {"network.parameterisation": "sp", "learning.optimiser": "sgd", "learning.learning_rate": 50.0}
    for changes in ({}, wild):
        one, other = prepared(**changes), prepared(**changes)
        one.advance(24, 100.0)
        while other.step < 24 and not other.diverged:
            other.advance(other.step + 1, 10.0)
        at_once, singly = (training.frame(bulk=True).values for training in (one, other))
        np.testing.assert_array_equal(at_once["energy_trace"][-1], at_once["energy"])
        for name in ("energy_trace", "update_rms"):
            assert np.count_nonzero(at_once[name]) > 4
            np.testing.assert_array_equal(at_once[name], singly[name])


def test_equal_seeds_give_equal_runs_and_other_seeds_do_not() -> None:
    one, same, other = (prepared(seed=seed) for seed in (3, 3, 4))
    for training in (one, same, other):
        training.advance(5, 100.0)
    np.testing.assert_array_equal(flat_weights(one.network), flat_weights(same.network))
    assert np.any(flat_weights(one.network) != flat_weights(other.network))


def test_a_float32_run_holds_no_float64_number() -> None:
    saved = prepared().checkpoint()
    assert {array.dtype for name, array in saved.items() if name.startswith("leaf_")} <= {
        np.dtype("float32"),
        np.dtype("int32"),
    }


def test_the_default_is_an_experiment_for_everybody() -> None:
    assert Experiment().inference_steps == 4 * 15


def test_the_signal_is_told_after_a_feedforward_start_alone() -> None:
    """Other starts have errors before the target has reached anybody."""
    for initial, told in (("feedforward", True), ("normal", False), ("zero", False)):
        training = prepared(**{"inference.initial": initial, "inference.steps": 0})
        training.advance(1, 10.0)
        assert ("layers_with_signal" in training.frame(bulk=True).values) is told
