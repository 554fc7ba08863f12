"""pcviz: the training that its command line and its notebooks run, and the compiled loop inside it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from benchmarks.alone import AppSteps
from benchmarks.peers.task import Task
from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.experiment import Experiment
from pcviz.jobs.training import Training
from pcviz.pcn import build, premultipliers, skip_flags, weights

SOLVER, STEP_SIZE, BATCH = "gradient_descent", 0.3, 64


def experiment_of(depth: int, width: int, inference_steps: int, steps: int, learning_rate: float) -> Experiment:
    """Digits, tanh, muPC with skips; weights and batches follow from its seed."""
    return Experiment.model_validate(
        {
            "network": {"depth": depth, "width": width, "activation": "tanh"},
            "inference": {"solver": SOLVER, "steps": inference_steps, "step_size": STEP_SIZE},
            "learning": {"learning_rate": learning_rate, "batch_size": BATCH, "steps": steps},
        }
    )


def task_of(experiment: Experiment) -> Task:
    """The weights and batches of an experiment, for other libraries."""
    data = load(experiment.data, experiment.seed, experiment.dtype)
    network, count = build(experiment, data.x_train.shape[1], data.y_train.shape[1]), len(data.x_train)
    chosen = [batch_indices(experiment.seed, step, count, BATCH) for step in range(experiment.learning.steps)]
    return Task(
        scales=[float(scale) for scale in premultipliers(network)],
        skips=[bool(skip) for skip in skip_flags(network)],
        weights=[np.asarray(weight) for weight in weights(network)],
        x=data.x_train[np.stack(chosen)],
        y=data.y_train[np.stack(chosen)],
        steps=experiment.inference_steps,
        step_size=STEP_SIZE,
        learning_rate=float(experiment.learning_rates[0]),
    )


class Ours:
    """The project itself, which finds weights and batches again from the seed."""

    name = f"pcviz {version('pcviz')}"

    def bare(self, task: Task) -> Callable[[int], None]:
        return AppSteps(_again(task))

    def train(self, task: Task, passed: Callable[[int], None]) -> list[np.ndarray]:
        training = Training(_again(task))
        for frame in training.run():
            passed(frame.step)
        return [np.asarray(weight) for weight in weights(training.network)]


def _again(task: Task) -> Experiment:
    return experiment_of(task.depth, task.width, task.steps, len(task.x), task.learning_rate)
