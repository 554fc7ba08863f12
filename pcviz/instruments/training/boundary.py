"""Decision boundary: what a network with two inputs and two classes says over the input plane."""

from __future__ import annotations

import time

import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Frame
from pcviz.jobs.training import Training
from pcviz.pcn import feedforward

GRID = 61
POINTS = 400


class Boundary:
    """A child of a run on 2-D data (a `pcviz.jobs.protocol.Job`): one forward pass over a grid whenever it moved.

    Raises ValueError if the parent's data set has not two inputs and two classes.
    """

    def __init__(self, experiment: Experiment, parent: Training, options: dict[str, object] | None = None) -> None:
        facts = experiment.data.facts
        if (facts.input_dim, facts.output_dim) != (2, 2):
            raise ValueError(f"data.name: {experiment.data.name} has no decision boundary (needs 2 inputs, 2 classes)")
        self.parent = parent
        self.step = -1
        self.seconds = 0.0
        self.diverged = False

    @property
    def steps(self) -> int:
        """The last step of the parent."""
        return self.parent.steps

    @property
    def device(self) -> str:
        """Where it runs."""
        return self.parent.device

    @property
    def idle(self) -> bool:
        """Whether the parent has not moved since the last picture."""
        return self.step == self.parent.step or self.parent.diverged or not hasattr(self.parent, "network")

    @property
    def done(self) -> bool:
        """Whether the picture of the parent's last step is there."""
        return self.parent.done and self.idle

    def prepare(self) -> None:
        """Nothing to do: the pass compiles in a moment."""

    def advance(self, until_step: int, seconds: float) -> None:
        """Compute the picture of the parent's present weights."""
        if self.idle:
            return
        begun = time.perf_counter()
        if not hasattr(self, "_grid"):
            self._lay_out()
        _, output = feedforward(self.parent.network, self._grid)
        self._picture = np.asarray(output[:, 1] - output[:, 0]).reshape(GRID, GRID)
        self.step = self.parent.step
        self.seconds += time.perf_counter() - begun

    def _lay_out(self) -> None:
        data = self.parent.data
        span = 1.1 * np.abs(data.x_train).max(0)
        self._axes = [np.linspace(-s, s, GRID) for s in span]
        self._grid = jnp.asarray(np.stack(np.meshgrid(*self._axes), -1).reshape(-1, 2))
        self._points, self._classes = data.x_train[:POINTS], data.y_train[:POINTS].argmax(1)

    def frame(self, bulk: bool) -> Frame:
        """The picture."""
        values = {
            "boundary": self._picture,
            "boundary_x": self._axes[0],
            "boundary_y": self._axes[1],
            "points_x": self._points[:, 0],
            "points_y": self._points[:, 1],
            "points_class": self._classes,
        }
        return Frame("boundary", self.step, values, seconds=self.seconds, done=self.done)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """Nothing: the picture follows from the parent."""
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing to restore."""
