"""Deep methods: every cell is one training."""

from typing import Any

import numpy as np

from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.deep_methods import DeepMethods, Trial
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work

SLICE_SECONDS = 0.02


def measure(trial: Trial, protocol: DeepMethods) -> Work[dict[str, Any]]:
    """Train one network; returns accuracy and energies at the end."""
    training = Training(protocol.experiment_of(trial))
    training.prepare()
    while not training.done:
        training.advance(training.steps, SLICE_SECONDS)
        yield
    values = training.frame(bulk=True).values
    energies = np.asarray(values["energy"])
    return {
        "diverged": training.diverged,
        "accuracy": float(np.asarray(values["test_accuracy"])),
        "energy_ratio": float(energies[0] / energies[-1]) if energies[-1] > 0 else None,
        "seconds": training.seconds,
    }


MEASURES = {"deep-methods": Measure(one_by_one(measure))}
