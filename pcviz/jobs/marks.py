"""Checkpoints on the way of a training, in memory, from which reruns go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pcviz.jobs.training import Training

MOST = 32
MOST_BYTES = 64_000_000


class Marks:
    """At most 32 checkpoints (and 64 MB) of a training of `steps` weight steps, about evenly spaced."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._kept: dict[int, dict[str, np.ndarray]] = {}
        self._apart = 1
        self._sized = False

    def offer(self, training: Training) -> None:
        """Keep a checkpoint of a training, unless there is one not far before. What the training has not reported yet
        is no part of it, and is forgotten."""
        if not self._is_far(training.step):
            return
        training.frame(bulk=False)
        arrays = training.checkpoint()
        if not self._sized:
            most = min(MOST, MOST_BYTES // sum(array.nbytes for array in arrays.values()))
            self._apart, self._sized = self._steps // (most + 1) + 1 if most else self._steps + 1, True
        if self._is_far(training.step):
            self._kept[training.step] = arrays

    def _is_far(self, step: int) -> bool:
        return step - max((kept for kept in self._kept if kept <= step), default=0) >= self._apart

    def forward(self, training: Training, step: int) -> None:
        """Bring a training forward to the last mark before `step`, unless it is as far already."""
        before = max((kept for kept in self._kept if kept < step), default=0)
        if before > training.step:
            training.restore(self._kept[before])
