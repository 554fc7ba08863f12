"""Batches in shards: the same training, to rounding, on two devices."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from pcviz.experiment import Experiment, from_paths
from pcviz.jobs.training import Training
from pcviz.pcn import shards
from pcviz.pcn.network import flat_weights

SMALL: dict[str, Any] = {
    "network.depth": 5,
    "network.width": 6,
    "network.activation": "tanh",
    "data.name": "moons",
    "inference.solver": "gradient_descent",
    "inference.step_size": 0.2,
    "inference.steps": 7,
    "learning.batch_size": 8,
    "learning.steps": 12,
}

ERRORS = {"inference.solver": "error_based", "inference.step_size": 0.05}


def shape(depth: int, width: int, steps: int, **changes: Any) -> Experiment:
    return from_paths({**SMALL, "data.name": "digits", "network.depth": depth, "network.width": width}).changed(
        {"inference.steps": steps, "learning.batch_size": 64, **changes}
    )


@pytest.fixture
def sharded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small experiments are sharded too."""
    monkeypatch.setattr(shards, "LEAST", dict.fromkeys(shards.LEAST, (0.0, 0.0)))


def trained(experiment: Experiment, seconds: float = 1e9) -> Training:
    training = Training(experiment)
    training.prepare()
    while not training.done:
        training.advance(training.steps, seconds)
    return training


def test_a_cpu_counts_as_two_devices() -> None:
    assert len(jax.devices("cpu")) == shards.SHARDS == 2


@pytest.mark.parametrize(
    ("experiment", "count"),
    [
        (shape(32, 32, 32), 2),
        (shape(16, 64, 15), 2),
        (shape(32, 128, 16), 2),
        (shape(129, 64, 128), 2),
        (shape(129, 64, 8, **ERRORS), 2),
        (shape(32, 32, 4, **ERRORS), 2),  # layers one after another: less arithmetic is enough
        (shape(32, 32, 2, **ERRORS), 1),
        (shape(8, 32, 16), 1),  # too little arithmetic
        (shape(128, 128, 16), 1),  # all weights move, but few layers relax
        (shape(32, 32, 32, **{"learning.batch_size": 63}), 1),
        (shape(32, 32, 32, **{"inference.initial": "normal"}), 1),
        (shape(32, 32, 32, **{"learning.rule": "ipc"}), 1),
        (shape(32, 32, 32, **{"learning.rule": "bp"}), 1),
        (shape(128, 128, 128), 1),  # long steps
    ],
    ids=str,
)
def test_the_experiment_alone_decides(experiment: Experiment, count: int) -> None:
    assert shards.shards_of(experiment) == count


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"inference.solver": "error_based", "network.loss": "ce"},
        {"learning.forward_update": True, "inference.precision_schedule": "spiking"},
        pytest.param({"inference.solver": "adam", "learning.optimiser": "sgd"}, marks=pytest.mark.slow),
        pytest.param({"inference.nudging": "centred", "network.biases": True}, marks=pytest.mark.slow),
        pytest.param({"network.activation": "linear", "learning.weight_norm": 1.0}, marks=pytest.mark.slow),
        pytest.param({"learning.rule": "zil"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_shards_change_a_training_by_rounding_only(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = from_paths({**SMALL, "dtype": "float64", **changes})
    monkeypatch.setattr(shards, "LEAST", dict.fromkeys(shards.LEAST, (np.inf, 0.0)))
    whole = trained(experiment)
    monkeypatch.setattr(shards, "LEAST", dict.fromkeys(shards.LEAST, (0.0, 0.0)))
    assert shards.shards_of(experiment) == 2
    halves = trained(experiment)
    np.testing.assert_allclose(flat_weights(halves.network), flat_weights(whole.network), rtol=1e-8, atol=1e-10)
    one, other = (training.frame(bulk=True).values for training in (halves, whole))
    assert one.keys() == other.keys() and "energy_trace" in one
    for name in one.keys() - {"seconds_history", "steps_per_second", "seconds_left"}:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-12, err_msg=name)


def test_a_sharded_training_is_the_same_however_it_is_cut(sharded: None) -> None:
    """Bit by bit: in one slice, step by step, killed and resumed, recorded or not."""
    experiment = from_paths(SMALL)
    whole = trained(experiment)
    np.testing.assert_array_equal(flat_weights(trained(experiment, 0.0).network), flat_weights(whole.network))
    first = Training(experiment)
    first.prepare()
    first.advance(5, 1e9, bulk=True)
    first.frame(bulk=True)
    saved = first.checkpoint()
    resumed = Training(experiment)
    resumed.restore(saved)
    resumed.prepare()
    resumed.advance(experiment.learning.steps, 1e9)
    np.testing.assert_array_equal(flat_weights(resumed.network), flat_weights(whole.network))
    for name, leaf in whole.checkpoint().items():
        if name.startswith("leaf_"):
            np.testing.assert_array_equal(resumed.checkpoint()[name], leaf)


def test_what_others_see_of_a_sharded_network_is_on_one_device(sharded: None) -> None:
    training = trained(from_paths(SMALL))
    for leaf in jax.tree.leaves(training.network):
        assert leaf.devices() == {jax.devices()[0]} and not leaf.committed


@pytest.mark.usefixtures("sharded")
def test_a_training_beside_others_is_in_one_piece() -> None:
    pieces = []
    for beside in (False, True):
        training = Training(from_paths(SMALL), beside=beside)
        training.prepare()
        pieces.append(training._stepper.method.shards)
    assert pieces == [shards.SHARDS, 1]
