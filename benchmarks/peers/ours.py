"""pcviz: the training that its command line and its notebooks run, and the compiled loop inside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.peers.task import Task
from pcviz import Experiment
from pcviz.jobs.training import Training
from pcviz.pcn import weights


def experiment_of(task: Task) -> Experiment:
    """A task in our terms."""
    return Experiment.model_validate(
        {
            "network": {"depth": task.depth, "width": task.width, "activation": "tanh"},
            "inference": {"solver": "gradient_descent", "steps": task.steps, "step_size": task.step_size},
            "learning": {"learning_rate": task.learning_rate, "batch_size": task.x.shape[1], "steps": len(task.x)},
        }
    )


class Ours:
    """The project itself. It takes weights and batches from the seed: `task_of` made the task from them."""

    name = "pcviz"

    def bare(self, task: Task) -> Callable[[int], None]:
        return lambda count: None

    def train(self, task: Task, passed: Callable[[int], None]) -> list[np.ndarray]:
        training = Training(experiment_of(task))
        for frame in training.run():
            passed(frame.step)
        return [np.asarray(weight) for weight in weights(training.network)]
