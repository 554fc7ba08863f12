"""A training made again up to a step, for what its panels drew on the way."""

from collections.abc import Iterator

import numpy as np

from pcviz.frames import Value
from pcviz.instruments.replay.channels import REPLAYED
from pcviz.instruments.replay.options import BYTES, LEAST, MOST, Options
from pcviz.jobs.child import Child
from pcviz.jobs.rerun import Rerun, reached
from pcviz.jobs.training import Training


class Replay(Child[Training]):
    """A child of a training: what frames of its parent have only of their last step, at evenly spaced earlier steps.

    Raises ValueError for options that do not fit, and for a step that the training does not have.
    """

    KIND = "replay"

    def _begin(self) -> None:
        self.until = Options.model_validate(self.options).until
        if self.until > (last := self.experiment.learning.steps):
            raise ValueError(f"until: {self.until} is above {last} (allowed: 1 to {last})")
        self.step = 0  # of nothing, until the parent has come so far
        self._rerun: Rerun | None = Rerun(self.parent)
        self._planned = np.zeros(0, np.int32)
        self._rows: list[dict[str, np.ndarray]] = []
        self._told = 0

    @property
    def idle(self) -> bool:
        """Whether all rows are computed, or the parent has not come so far."""
        return self._working is None and (self._rerun is None or not reached(self.parent, self.until))

    @property
    def place(self) -> int:
        """Rows computed."""
        return len(self._rows)

    def prepare(self) -> None:
        """Load the data; compiled programs are those of the parent."""
        assert self._rerun is not None
        self._rerun.training.prepare()

    def _work(self) -> Iterator[object]:
        """Row after row. The first one tells how many fit."""
        assert self._rerun is not None
        self.step = min(self.until, self.parent.step)
        self._planned = np.array([1])
        while self.step and self.place < len(self._planned):
            step, training = int(self._planned[self.place]), self._rerun.training
            yield from self._rerun.to(step)
            if training.step < step:
                break
            values = training.frame(bulk=True).values
            self._rows.append({name: np.asarray(values[name]) for name in REPLAYED if name in values})
            if self.place == 1:
                self._planned = planned(self.step, sum(value.nbytes for value in self._rows[0].values()))
        self._rerun = None

    def _values(self) -> dict[str, Value]:
        """All rows so far, whenever there are twice as many as were told, and at the end: as each frame replaces the
        one before, a row is sent twice on average. What a step lacks is NaN."""
        told, made = self._told, self.place
        if made == told or (self._rerun is not None and made < 2 * told):
            return {}
        self._told = made
        rows: dict[str, Value] = {f"replay_{name}": _stacked(name, self._rows) for name in REPLAYED}
        return {"replay_steps": self._planned, **{name: value for name, value in rows.items() if np.size(value)}}


def _stacked(name: str, rows: list[dict[str, np.ndarray]]) -> np.ndarray:
    """A channel at all rows, NaN where a row lacks it; empty if all lack it."""
    shapes = [row[name].shape for row in rows if name in row]
    return np.stack([row.get(name, np.full(shapes[0], np.nan)) for row in rows]) if shapes else np.zeros(0)


def planned(until: int, size: int) -> np.ndarray:
    """The weight steps of rows that take `size` bytes each, int32: 1 … `until` or as many as fit, evenly spaced."""
    count = min(until, max(LEAST, min(MOST, BYTES // size)))
    return np.unique(np.round(np.linspace(1, until, count))).astype(np.int32)


JOBS = {"replay": Replay}
