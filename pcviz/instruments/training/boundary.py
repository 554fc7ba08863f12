"""Decision boundary: the output of a network with two inputs and two classes over the input plane."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from pcviz.experiment.looks import AtStep
from pcviz.jobs.follower import Follower
from pcviz.pcn import feedforward

GRID = 61
POINTS = 400


class Boundary(Follower):
    """A child of a run on 2-D data: one forward pass over a grid whenever the run has advanced.

    Raises ValueError if the parent's data set does not have two inputs and two classes.
    """

    KIND = "boundary"

    def _begin(self) -> None:
        super()._begin()
        self._stand(AtStep.model_validate(self.options).at)
        if not self.experiment.data.facts.has_boundary:
            name = self.experiment.data.name
            raise ValueError(f"data.name: {name} has no decision boundary (needs 2 inputs, 2 classes)")

    def _work(self) -> Iterator[object]:
        """The picture of the weights that are shown."""
        training = yield from self._weights()
        if not hasattr(self, "_grid"):
            self._lay_out()
        _, output = feedforward(training.network, self._grid)
        self._found = {
            "boundary": np.asarray(output[:, 1] - output[:, 0]).reshape(GRID, GRID),
            "boundary_x": self._axes[0],
            "boundary_y": self._axes[1],
            "points_x": self._points[:, 0],
            "points_y": self._points[:, 1],
            "points_class": self._classes,
        }

    def _lay_out(self) -> None:
        data = self.parent.data
        span = 1.1 * np.abs(data.x_train).max(0)
        self._axes = [np.linspace(-s, s, GRID) for s in span]
        self._grid = jnp.asarray(np.stack(np.meshgrid(*self._axes), -1).reshape(-1, 2))
        self._points, self._classes = data.x_train[:POINTS], data.y_train[:POINTS].argmax(1)
