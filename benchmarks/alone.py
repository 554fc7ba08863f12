"""Weight steps as trainings make them, without the training around them."""

from __future__ import annotations

import numpy as np

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.jobs.stepper import STEPS_AT_ONCE, Stepper
from pcviz.pcn import learning

NOTHING = np.zeros(STEPS_AT_ONCE, bool)


class AppSteps:
    """The weight steps that trainings make in the app, on two devices where that pays: as many in a call as fit into
    it. Without `recordable`, in a program that cannot record."""

    def __init__(self, experiment: Experiment, *, recordable: bool = True) -> None:
        self._stepper = Stepper(experiment, load(experiment.data, experiment.seed, experiment.dtype))
        if not recordable:
            shards = self._stepper.method.shards
            self._stepper.method = learning.method_of(experiment, recorded=False, shards=shards)

    def __call__(self, count: int) -> None:
        self._make(count, recorded=False)

    def last_recorded(self, count: int) -> None:
        """The same, with the relaxation of the last step recorded."""
        self._make(count, recorded=True)

    def _make(self, count: int, *, recorded: bool) -> None:
        while count:
            now = min(count, STEPS_AT_ONCE)
            made = self._stepper.whole(0, now, NOTHING, recorded=recorded and now == count)
            all_finite(made.steps, now)
            count -= now


def all_finite(done: int, count: int) -> None:
    """Raises RuntimeError if only `done` of `count` weight steps were finite."""
    if done != count:
        raise RuntimeError("the network diverged: these timings would mean nothing")
