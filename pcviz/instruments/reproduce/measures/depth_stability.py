"""Depth stability: every cell is one training, looked at on its way."""

from typing import Any

import jax
import numpy as np

from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.depth_stability import DepthStability, Trial
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, evaluate
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward

SLICE_SECONDS = 0.1
EXAMPLES = 16
"""Whose condition numbers are measured."""


def measure(trial: Trial, protocol: DepthStability) -> Work[dict[str, Any]]:
    """Train one network; returns accuracy (%), the share of layers with a signal (%), and the condition number, at each
    of the protocol's times. Of what diverged the last weights are shown."""
    training = Training(protocol.experiment_of(trial), beside=True)
    training.prepare()
    test = jax.device_put((training.data.x_test, training.data.y_test))
    relaxes = training.experiment.learning.facts.relaxes
    accuracy, signal, condition = [], [], []
    for time in protocol.times:
        while training.step < time and not training.diverged:
            training.advance(time, SLICE_SECONDS)
            yield
        accuracy.append(100 * float(evaluate(training.network, *test).accuracy))
        reached = training.frame(bulk=False).values.get("layers_with_signal", np.nan) if training.step else np.nan
        signal.append(100 * float(np.asarray(reached)) / training.network.depth)
        yield
        condition.append((yield from _condition(training)) if relaxes else np.nan)
    return {"diverged": training.diverged, "accuracy": accuracy, "signal": signal, "condition": condition}


def _condition(training: Training) -> Work[float]:
    """The condition number of the activity Hessian at the feedforward pass, the median over examples."""
    x, y = (jax.device_put(part[:EXAMPLES]) for part in (training.data.x_train, training.data.y_train))
    network: Network = training.network
    z, _ = forward(network, x)
    largest = np.asarray(largest_curvature(network, x, y, z))
    yield
    return float(np.median(largest / np.asarray(smallest_curvature(network, x, y, z))))


MEASURES = {
    "depth-stability": Measure(
        one_by_one(measure), lambda trial, protocol: (trial.hidden, trial.kind == "bp", trial.kind == "orthogonal")
    )
}
