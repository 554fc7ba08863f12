"""A training made once more, silently: what an earlier weight step had is computed again instead of stored."""

from collections.abc import Iterator

from pcviz.jobs.marks import Marks
from pcviz.jobs.training import Training

SLICE_SECONDS = 0.01
"""About how long a rerun works before it yields."""


class Rerun:
    """The training of a child's parent once more. It shares compiled programs and marks with all others, and its
    numbers are those of the parent, bit for bit, as they follow from the experiment alone."""

    def __init__(self, parent: Training) -> None:
        self.training = Training(parent.experiment)
        if parent.marks is None:
            parent.marks = Marks(parent.steps)
        self._marks = parent.marks

    def to(self, step: int) -> Iterator[object]:
        """Train forward to a weight step, of which a frame then tells: the last step at least is made anew. Pauses
        wherever it yields; stops earlier where the energy stops being finite."""
        training = self.training
        self._marks.forward(training, step)
        while training.step < step and not training.done:
            self._marks.offer(training)
            training.advance(step, SLICE_SECONDS)
            yield training


def reached(parent: Training, step: int) -> bool:
    """Whether a training has made a weight step, or makes no more."""
    return parent.step >= step or parent.done
