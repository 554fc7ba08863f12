"""Whatever small experiment is valid trains a step; whatever is large gets a verdict before it starts."""

import random
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from pcviz.experiment import DATASETS, Experiment, cost, fields, from_paths
from pcviz.jobs.training import Training

NUMBERS = {
    "data.name": tuple(DATASETS),
    "network.depth": (2, 3, 6),
    "network.width": (1, 3, 8),
    "inference.steps": (0, 1, 7, "depth"),
    "inference.step_size": (0.01, 0.3),
    "learning.batch_size": (1, 5, 16),
    "learning.weight_decay": (0.0, 0.01),
    "learning.layer_rates": ("1", "10,1"),
    "learning.weight_norm": ("none", 0.7),
    "network.gamma": (0.5, 2.0),
    "network.output_precision": (0.5, 3.0),
}


def small(seed: int) -> Experiment:
    """A valid small experiment, drawn at random from all choices that there are."""
    chance = random.Random(seed)
    choices = {path: get_args(info.annotation) for path, info in fields().items() if path not in NUMBERS}
    named = {path: options for path, options in choices.items() if options and isinstance(options[0], str)}
    while True:
        drawn = {path: chance.choice(options) for path, options in {**named, **NUMBERS}.items()}
        drawn["network.skips"] = chance.random() < 0.5
        drawn["network.biases"] = chance.random() < 0.5
        if drawn["network.parameterisation"] != "sp":
            drawn.pop("network.initialisation", None)
        try:
            return from_paths({**drawn, "learning.steps": 1, "seed": seed})
        except ValidationError:
            continue


def train_one_step(experiment: Experiment) -> None:
    training = Training(experiment)
    frame = [*training.run()][-1]
    assert training.done
    assert training.diverged or training.step == 1
    if not training.diverged:
        assert np.isfinite(frame.values["energy"]).all()
        assert len(frame.values["energy"]) == experiment.network.depth


@pytest.mark.parametrize("seed", range(4))
def test_small_experiments_train_a_step(seed: int) -> None:
    train_one_step(small(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 44))
def test_forty_more_small_experiments_train_a_step(seed: int) -> None:
    train_one_step(small(seed))


@pytest.mark.parametrize("depth", [2, 128, 512])
@pytest.mark.parametrize("width", [1, 512, 2048])
def test_every_size_gets_a_verdict(depth: int, width: int) -> None:
    experiment = from_paths({"network.depth": depth, "network.width": width})
    assert cost.estimate(experiment).seconds > 0
    refusals = cost.admission(experiment, cost.Limits())
    assert bool(refusals) == (depth * width**2 * 4 * 3 * 2 > 1e9)
    fields = ("network.width", "learning.batch_size", "inference.steps")
    assert all(line.startswith(fields) for line in refusals)
