"""A training made once more, silently: what an earlier weight step had is computed again instead of stored."""

from collections.abc import Iterator

from pcviz.experiment.cost import PROGRAM_BYTES, bytes_text, estimate, machine_limits
from pcviz.jobs.marks import Marks
from pcviz.jobs.training import Training

SLICE_SECONDS = 0.01
"""About how long a rerun works before it yields."""
AT_ONCE = 4
"""Most reruns of one training: a replay, and a follower for each of three panels."""


class Rerun:
    """The training of a child's parent once more. It shares compiled programs and marks with all others, and its
    numbers are those of the parent, bit for bit, as they follow from the experiment alone.

    Raises ValueError where there is no memory for a few of them beside the parent.
    """

    def __init__(self, parent: Training) -> None:
        more = estimate(parent.experiment).memory_bytes - PROGRAM_BYTES
        if (AT_ONCE + 1) * more > (most := machine_limits().memory_bytes):
            raise ValueError(
                f"an earlier step of this training is computed by training again, which needs {bytes_text(more)} more, "
                f"above {bytes_text(most / (AT_ONCE + 1))} (choose a smaller network)"
            )
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
