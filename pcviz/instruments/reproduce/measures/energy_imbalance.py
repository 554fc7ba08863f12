"""Energy imbalance: every cell is one training, looked at after each epoch."""

from typing import Any

import jax
import numpy as np

from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.energy_imbalance import Imbalance, Trial
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work
from pcviz.pcn import evaluate

SLICE_SECONDS = 0.1


def measure(trial: Trial, protocol: Imbalance) -> Work[dict[str, Any]]:
    """Train one network; returns test accuracy (%) at the end of each epoch, and the layer energies of its batches, the
    mean. After a training diverged its last values repeat."""
    training = Training(protocol.experiment_of(trial), beside=True)
    training.prepare()
    test = jax.device_put((training.data.x_test, training.data.y_test))
    accuracy: list[float] = []
    energies: list[list[float]] = []
    for epoch in range(1, protocol.epochs + 1):
        until = epoch * training.experiment.steps_per_epoch
        while training.step < until and not training.diverged:
            training.advance(until, SLICE_SECONDS)
            yield
        rows = np.asarray(training.frame(bulk=False).values["energy_history"])
        last = energies[-1] if energies else [np.nan] * training.network.depth
        energies.append(rows.mean(0).tolist() if len(rows) else last)
        accuracy.append(100 * float(evaluate(training.network, *test).accuracy))
        yield
    return {"diverged": training.diverged, "accuracy": accuracy, "energies": energies}


MEASURES = {"energy-imbalance": Measure(one_by_one(measure), lambda trial, protocol: trial.kind)}
