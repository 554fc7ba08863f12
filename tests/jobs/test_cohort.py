"""Cohorts: trainings of one shape give the numbers of single ones, whatever differs between them."""

from typing import Any

import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.shape import TRACED, shape_of
from pcviz.jobs.cohort import lanes_of, trained
from pcviz.jobs.training import Training
from pcviz.numerics import device_kind
from pcviz.numerics.krylov import finish

BASE: dict[str, Any] = {
    "network.depth": 4,
    "network.width": 6,
    "network.activation": "tanh",
    "data.name": "moons",
    "inference.solver": "momentum",
    "inference.steps": 5,
    "learning.steps": 6,
    "learning.batch_size": 8,
}
OTHERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "inference.momentum": (0.5, {}),
    "inference.nudge_strength": (0.3, {"inference.nudging": "positive"}),
    "inference.precision_decay": (0.5, {"inference.precision_schedule": "decaying"}),
    "inference.spike_alpha": (0.01, {"inference.precision_schedule": "spiking"}),
    "inference.step_size": (0.01, {}),
    "inference.steps": (9, {}),
    "learning.adam_epsilon": (1e-3, {}),
    "learning.layer_rates": ("10,1", {}),
    "learning.learning_rate": (0.2, {}),
    "learning.lr_scaling": ("width_depth", {}),
    "learning.steps": (9, {}),
    "learning.weight_decay": (0.1, {}),
    "network.gamma": (2.0, {}),
    "network.initialisation": ("lecun_normal", {"network.parameterisation": "sp"}),
    "network.output_precision": (3.0, {}),
    "network.parameterisation": ("ntp", {}),
    "seed": (5, {}),
}
"""Option -> another value, and what it needs to have an effect."""


def single(experiment: Experiment) -> dict[str, Any]:
    """What a training of its own is told in."""
    training = Training(experiment)
    training.prepare()
    while not training.done:
        training.advance(training.steps, 1.0)
    values = {name: np.asarray(value) for name, value in training.frame(bulk=True).values.items()}
    losses = values["train_loss_history"]
    return {
        "steps": training.step,
        "test_loss": float(values["test_loss"]),
        "test_accuracy": float(values["test_accuracy"]),
        "energies": values["energy"].tolist(),
        "losses": losses[:, 0].tolist(),
    }


def test_every_traced_option_is_tried() -> None:
    assert set(OTHERS) == TRACED


@pytest.mark.parametrize("path", OTHERS)
def test_what_is_traced_may_differ(path: str) -> None:
    value, needs = OTHERS[path]
    one = from_paths(BASE | needs)
    other = one.changed({path: value})
    assert shape_of(one) == shape_of(other)
    together = finish(trained([one, other]))
    losses = []
    for experiment, found in zip((one, other), together, strict=True):
        alone = single(experiment)
        assert alone.pop("losses") == found["curve"][1]
        assert alone == {name: found[name] for name in alone}
        losses.append(found["curve"])
    assert losses[0] != losses[1], "it has an effect"


@pytest.mark.parametrize(
    "changes", [{"network.width": 7}, {"network.skips": False}, {"inference.solver": "adam"}, {"data.name": "circles"}]
)
def test_what_is_compiled_may_not(changes: dict[str, Any]) -> None:
    assert shape_of(from_paths(BASE)) != shape_of(from_paths(BASE | changes))


def test_decay_of_activities_is_compiled_only_if_there_is_any() -> None:
    none, some, more = (from_paths(BASE | {"inference.activity_decay": decay}) for decay in (0.0, 0.1, 0.2))
    assert shape_of(none) != shape_of(some) == shape_of(more)


def test_what_diverges_is_told_and_others_go_on() -> None:
    wild = {"network.activation": "linear", "learning.optimiser": "sgd", "learning.learning_rate": 100.0}
    bad = from_paths(BASE | wild | {"learning.steps": 40})
    good = bad.changed({"learning.learning_rate": 0.01})
    found = finish(trained([bad, good, bad]))
    assert [cell["diverged"] for cell in found] == [True, False, True]
    assert found[0]["steps"] == single(bad)["steps"] < 40
    assert found[0]["loss"] == found[0]["least_loss"] == found[0]["test_loss"] == np.inf
    assert found[1]["test_loss"] == single(good)["test_loss"]


def test_initial_noise_is_that_of_the_seed() -> None:
    noisy = from_paths(BASE | {"inference.initial": "normal"})
    found = finish(trained([noisy, noisy.changed({"seed": 3})]))
    assert found[0]["test_loss"] == single(noisy)["test_loss"] != found[1]["test_loss"]


def test_what_is_told_of_a_course() -> None:
    experiment = from_paths(BASE | {"learning.steps": 70})
    (found,) = finish(trained([experiment]))
    losses = np.array(single(experiment)["losses"])
    assert len(losses) == 70
    assert found["loss"] == pytest.approx(losses[-7:].mean())
    assert found["least_loss"] == losses.min()
    steps, means = found["curve"]
    assert len(steps) == len(means) == 32
    assert steps[-1] == 70
    widths = np.diff([0, *steps])
    assert means @ widths == pytest.approx(losses.sum())


def test_on_an_accelerator_they_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """There as many as fit: the same numbers to rounding."""
    cells = [from_paths(BASE | {"seed": seed}) for seed in range(3)]
    here = finish(trained(cells))
    monkeypatch.setattr(device_kind, "in_use", lambda: device_kind.ACCELERATOR)
    assert lanes_of(cells[0]) == device_kind.ACCELERATOR.lanes
    there = finish(trained(cells))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(one["curve"][1], other["curve"][1], rtol=1e-5)
