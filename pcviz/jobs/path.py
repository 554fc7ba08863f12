"""The path of a run through weight space: a few snapshots, thinned evenly as the run goes on."""

import numpy as np

MOST = 32
MOST_BYTES = 256_000_000


class Path:
    """At most 32 snapshots (and 256 MB), taken every `every` weight steps; `every` doubles when they fill up.

    Kept in memory only: after a restart of the worker it starts again.
    """

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.points: list[np.ndarray] = []
        self.every = 1

    def due(self, step: int) -> bool:
        """Whether the weights after `step` belong to the path; the first step asked about always does."""
        return not self.steps or (step > self.steps[-1] and step % self.every == 0)

    def next_due(self, step: int) -> int:
        """The next step after `step` whose weights belong to the path."""
        return step - step % self.every + self.every

    def add(self, step: int, point: np.ndarray) -> None:
        """Append the flat weights (P,) after `step`."""
        self.steps.append(step)
        self.points.append(point)
        most = max(3, min(MOST, MOST_BYTES // max(1, point.nbytes)))
        while len(self.points) > most:
            self.every *= 2
            kept = [i for i, s in enumerate(self.steps) if i == 0 or s % self.every == 0]
            if len(kept) == len(self.steps):
                kept = [0, *range(2, len(self.steps), 2)]
            self.steps = [self.steps[i] for i in kept]
            self.points = [self.points[i] for i in kept]
