"""Jobs without JAX that behave like real ones: deterministic, resumable, as slow as asked for.

The experiment's seed chooses the behaviour, so that a test can ask for it through the store.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Frame, Value
from pcviz.jobs.history import History
from pcviz.jobs.watch import SIGNS

SLOW, FAILS, DIVERGES, LONG_STEPS, BIG, FAILS_TO_COMPILE = 1000, 1001, 1002, 1003, 1004, 1005
SLOW_SECONDS = 2.0
COMPILED = threading.Event()
"""What is slow to compile has been compiled, once this is set or its seconds are over."""
UNIT_SECONDS = 0.002
UNITS = 100
"""A long step has one unit of work more than this."""


class FakeTrain:
    """A chaotic map as the network: one wrong or repeated step changes everything after it."""

    def __init__(self, experiment: Experiment) -> None:
        self.step = 0
        self.steps = experiment.learning.steps
        self.seconds = 0.0
        self.device = "test"
        self.diverged = False
        self.idle = False
        self.detailed = True
        self._seed = experiment.seed
        self._state = np.random.default_rng(experiment.seed).uniform(0.2, 0.8, 200_000 if self._seed == BIG else 8)
        self._history = History(self.steps, 10)
        self._inner = 0

    @property
    def done(self) -> bool:
        return self.diverged or self.step >= self.steps

    def prepare(self) -> None:
        if self._seed == SLOW:
            COMPILED.wait(SLOW_SECONDS)
        if self._seed == FAILS_TO_COMPILE:
            raise MemoryError("out of\nmemory")

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        began = time.monotonic()
        while self.step < until_step and not self.done:
            time.sleep(UNIT_SECONDS)
            if self._seed == LONG_STEPS and self._inner < UNITS:
                self._inner += 1
            else:
                self._take_step()
            if time.monotonic() - began >= seconds:
                break
        self.seconds += time.monotonic() - began

    def _take_step(self) -> None:
        self._inner = 0
        noise = np.random.default_rng((self._seed, self.step)).uniform(0, 1e-3, self._state.shape)
        self._state = 3.9 * self._state * (1 - self._state) * 0.999 + noise * 0.5
        self.step += 1
        energy = self._state[None, :8].copy()
        seconds = np.array([self.seconds])
        course = energy[:, 0], energy, np.ones_like(energy)
        self._history.take(range(self.step, self.step + 1), seconds, course, np.zeros((1, len(SIGNS)), bool))
        if self._seed == FAILS and self.step == 5:
            raise RuntimeError("the job\nbroke")
        if self._seed == DIVERGES and self.step == 5:
            self.diverged = True

    def frame(self, bulk: bool) -> Frame:
        values: dict[str, Value] = {
            "train_loss": float(self._state[0]),
            "energy": self._state[:8].copy(),
            "total_energy": float(self._state[:8].sum()),
            **self._history.drained(8),
        }
        if bulk:
            values["energy_trace"] = np.outer(np.arange(4.0), self._state[:8])
        return Frame("train", self.step, values, seconds=self.seconds, epoch=self.step / 10)

    def checkpoint(self) -> dict[str, np.ndarray]:
        counts = {"step": np.array(self.step), "inner": np.array(self._inner)}
        return {"state": self._state.copy(), **counts, **self._history.saved()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._state, self.step, self._inner = arrays["state"].copy(), int(arrays["step"]), int(arrays["inner"])
        self._history.restore(arrays)


class FakeTrainingPlane:
    """Three tiles for every tenth step of its parent, and for its last."""

    def __init__(self, experiment: Experiment, parent: FakeTrain, options: dict[str, Any]) -> None:
        self._parent = parent
        self._options = options
        self.step = -1
        self.steps = parent.steps
        self.seconds = 0.0
        self.device = parent.device
        self.diverged = False
        self._tiles = 0

    @property
    def idle(self) -> bool:
        every = 1 if self._parent.done else 10
        return self.step >= 0 and self._tiles == 3 and self._parent.step < self.step + every

    @property
    def done(self) -> bool:
        return self.idle

    def prepare(self) -> None:
        if self._options.get("fail"):
            raise ValueError("no such plane")

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        if self.idle:
            return
        if self._tiles in (0, 3):
            self.step, self._tiles = until_step, 0
        time.sleep(0.005)
        self._tiles += 1

    def frame(self, bulk: bool) -> Frame:
        values: dict[str, Value] = {"landscape_done": self._tiles / 3, "landscape": np.full((2, 2), float(self.step))}
        return Frame("training_plane", self.step, values)

    def checkpoint(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        pass


JOBS: dict[str, Any] = {"train": FakeTrain, "training_plane": FakeTrainingPlane}
