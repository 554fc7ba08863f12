"""Children that show what follows from the weights of a training: of its latest step, or of an earlier one."""

from collections.abc import Generator

from pcviz.frames import Value
from pcviz.jobs.child import Child
from pcviz.jobs.rerun import Rerun, reached
from pcviz.jobs.training import Training


class Follower(Child[Training]):
    """A child of a training. It works whenever the training has advanced, and of one that diverged on its last finite
    weights; with a weight step `at` it works once, on the weights of that step, which are computed again.

    What `_work` leaves in `_found` is told once.
    """

    at: int | None = None
    _rerun: Rerun | None = None
    _found: dict[str, Value]

    def _begin(self) -> None:
        self._found = {}

    def _stand(self, at: int | None) -> None:
        """Choose the weight step; None: always the latest. Raises ValueError for one that the training does not have,
        or if there is no memory for a rerun."""
        if (at or 0) > (last := self.experiment.learning.steps):
            raise ValueError(f"at: {at} is above {last} (allowed: 0 to {last})")
        self.at = at
        if at is not None:
            self.step, self._rerun = 0, Rerun(self.parent)

    @property
    def idle(self) -> bool:
        """Whether the parent has not advanced since the last picture; of an earlier step there is one."""
        parent = self.parent
        if self.at is not None:
            return self._working is None and (self._rerun is None or not reached(parent, self.at))
        return self._working is None and (self.step == parent.step or not hasattr(parent, "network"))

    def prepare(self) -> None:
        """Load the data of the training that is made again; what it compiles is that of the parent."""
        if self._rerun is not None:
            self._rerun.training.prepare()

    def _weights(self) -> Generator[object, None, Training]:
        """The training at the step that is shown."""
        training = self.parent
        self.step = training.step if self.at is None else min(self.at, training.step)
        if self._rerun is not None:
            yield from self._rerun.to(self.step)
            training, self._rerun = self._rerun.training, None
        return training

    def _values(self) -> dict[str, Value]:
        """What was found last, once, with the weight step that was asked for."""
        found, self._found = self._found, {}
        return found | {"asked_at": float("nan") if self.at is None else float(self.at)} if found else {}
