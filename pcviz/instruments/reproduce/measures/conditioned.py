"""Activity decay, and initialisation: the condition number of inference at the start, and what is learnt from there."""

from collections.abc import Sequence
from typing import Any

import jax

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.instruments.reproduce.measures.base import TRAINED
from pcviz.jobs.cohort import trained
from pcviz.numerics.krylov import Work
from pcviz.pcn import build
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward


def condition(experiment: Experiment) -> float:
    """The condition number of the activity Hessian of the fresh network at its first example, with activity decay."""
    data = load(experiment.data, experiment.seed, "float64")
    x, y = (jax.device_put(part[:1]) for part in (data.x_train, data.y_train))
    network = build(experiment.changed({"dtype": "float64"}), x.shape[1], y.shape[1])
    z, decay = forward(network, x)[0], experiment.inference.activity_decay
    largest, smallest = (float(end(network, x, y, z)[0]) + decay for end in (largest_curvature, smallest_curvature))
    return largest / smallest


def measure(cells: Sequence[Any], protocol: Any) -> Work[list[dict[str, Any]]]:
    """Condition numbers, and accuracies in per cent after training; what diverged has learnt nothing."""
    experiments = [protocol.experiment_of(cell) for cell in cells]
    conditions = []
    for experiment in experiments:
        conditions.append(condition(experiment))
        yield
    told = yield from trained(experiments)
    return [
        {
            "condition": at,
            "accuracy": 0.0 if one["diverged"] else 100 * one["test_accuracy"],
            "diverged": one["diverged"],
        }
        for at, one in zip(conditions, told, strict=True)
    ]


CONDITIONED = TRAINED._replace(measure=measure, key=None)
MEASURES = {"activity-decay": CONDITIONED, "initialisation": CONDITIONED}
