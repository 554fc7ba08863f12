"""Child runs: jobs beside another run, their parent, that store nothing, as all of it follows from its network."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Frame, Value
from pcviz.jobs.protocol import Job

Parent = TypeVar("Parent", bound=Job)


class Child(ABC, Generic[Parent]):
    """A `pcviz.jobs.protocol.Job` beside its parent, pausing wherever `_work` yields; `_work` starts again whenever
    the child is not idle."""

    KIND: ClassVar[str]
    diverged = False
    detailed = True

    def __init__(self, experiment: Experiment, parent: Parent, options: dict[str, Any] | None = None) -> None:
        self.experiment, self.parent, self.options = experiment, parent, options or {}
        self.step, self.seconds = -1, 0.0
        self._working: Iterator[object] | None = None
        self._begin()

    def _begin(self) -> None:
        """Set up what a kind of child needs besides, before its work."""

    @abstractmethod
    def _work(self) -> Iterator[object]:
        """Do the work that is pending now, yielding often."""

    @property
    @abstractmethod
    def idle(self) -> bool:
        """Whether there is nothing to do until the parent has advanced."""

    @abstractmethod
    def _values(self) -> dict[str, Value]:
        """What is new, channel by channel."""

    @property
    def place(self) -> int:
        """Progress of the present work, in steps of its own."""
        return 0

    @property
    def steps(self) -> int:
        """The last step of the parent."""
        return self.parent.steps

    @property
    def device(self) -> str:
        """The device it runs on."""
        return self.parent.device

    @property
    def done(self) -> bool:
        """Whether the parent is done, and everything that follows from its last step is computed."""
        return self.parent.done and self.idle

    def prepare(self) -> None:
        """Does nothing, unless a kind of child overrides it."""

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        """Work for about `seconds`."""
        begun = time.perf_counter()
        if self._working is None and not self.idle:
            self._working = self._work()
        while self._working is not None:
            if next(self._working, self) is self:
                self._working = None
            if time.perf_counter() - begun >= seconds:
                break
        self.seconds += time.perf_counter() - begun

    def frame(self, bulk: bool) -> Frame:
        """What is new."""
        return Frame(self.KIND, self.step, self._values(), self.place, seconds=self.seconds, done=self.done)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """Empty: everything follows from the parent."""
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing to restore."""
