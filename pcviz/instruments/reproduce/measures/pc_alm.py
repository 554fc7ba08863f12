"""PC-ALM beside predictive coding at equilibrium and backpropagation: the accuracy of trained networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pcviz.data import load
from pcviz.experiment.shape import shape_of
from pcviz.instruments.reproduce.measures.base import Measure
from pcviz.instruments.reproduce.measures.equilibrated import learnt
from pcviz.instruments.reproduce.studies.pc_alm import SOLVERS, Grid, Trial
from pcviz.jobs.cohort import lanes_of, trained
from pcviz.numerics.krylov import Work
from pcviz.pcn import evaluate


def measure(trials: Sequence[Trial], protocol: Grid) -> Work[list[dict[str, Any]]]:
    """Train networks of one shape; what diverged has learnt nothing."""
    if trials[0].rule not in SOLVERS:
        told = yield from trained([protocol.experiment_of(trial) for trial in trials])
        return [_told(one["test_accuracy"], one["diverged"]) for one in told]
    found = []
    for trial in trials:
        experiment = protocol.experiment_of(trial)
        network, losses = yield from learnt(experiment, SOLVERS[trial.rule], protocol.inference_steps(trial))
        data = load(experiment.data, experiment.seed, experiment.dtype)
        seen = evaluate(network, data.x_test, data.y_test)
        found.append(_told(float(seen.accuracy), not np.isfinite([*losses, float(seen.loss)]).all()))
    return found


def _told(accuracy: float, diverged: bool) -> dict[str, Any]:
    return {"test_accuracy": 0.0 if diverged else accuracy, "diverged": diverged}


def _lanes(trial: Trial, protocol: Grid) -> int:
    return 1 if trial.rule in SOLVERS else lanes_of(protocol.experiment_of(trial))


MEASURES = {
    "pc-alm": Measure(
        measure,
        lambda trial, protocol: (SOLVERS.get(trial.rule), shape_of(protocol.experiment_of(trial))),
        _lanes,
    )
}
