"""The plane of a training's path: loss or F* on a plane through the current weights, while training goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pcviz.data import load
from pcviz.experiment.looks import unexamined
from pcviz.frames import Value
from pcviz.jobs.background import until
from pcviz.jobs.child import Child
from pcviz.jobs.path import Path
from pcviz.jobs.survey import Survey
from pcviz.jobs.training import Training
from pcviz.pcn import build
from pcviz.pcn.network import flat_weights
from pcviz.probes.plane import Plane, plane, principal_directions, random_directions
from pcviz.probes.surface import Kind

SIZE = 21
PROBE: dict[Kind, int] = {"loss": 256, "energy": 32}
"""Surfaces are means over the first training examples."""
FIRST_PRINCIPAL_STEP = 8
"""Before this step the path is too short to have directions of its own."""


class TrainingPlane(Child[Training]):
    """A child of a run: one picture after another, each of the weights when it began.

    Options: `surface` "loss" or "energy" (F*), `directions` "pca" (of the path; random before step 8) or "random". The
    first picture comes coarse to fine, later ones replace it when they are complete, so that the panel never falls back
    to a coarse one.
    """

    KIND = "training_plane"

    def _begin(self) -> None:
        self.random = self.options.get("directions") == "random"
        self.kind: Kind = "energy" if self.options.get("surface") == "energy" else "loss"
        if self.kind == "energy" and (reason := unexamined(self.experiment)) is not None:
            raise ValueError(reason)
        if self.parent.path is None:
            self.parent.path = Path()
        self._pool = ThreadPoolExecutor(1, "pcviz-training-plane")
        self._shown = False
        self._picture: dict[str, Value] = {}

    @property
    def idle(self) -> bool:
        """Whether there is nothing new to draw: the picture of the parent's present weights is complete."""
        path = self.parent.path
        begun = path is not None and (path.points or self.parent.done)
        fresh = self.step != self.parent.step and begun and not self.parent.diverged
        return self._working is None and not fresh

    def prepare(self) -> None:
        """Load the probe batch, draw the random directions, compile."""
        data = load(self.experiment.data, self.experiment.seed, self.experiment.dtype)
        x, y = (part[: PROBE[self.kind]] for part in (data.x_train, data.y_train))
        network = build(self.experiment, x.shape[1], y.shape[1])
        self._random = random_directions(network, self.experiment.seed)
        self._survey = Survey(network, x, y, [self.kind], SIZE)
        self._survey.compile(self._random.shape[1])

    def _work(self) -> Iterator[object]:
        """A picture of the parent's present weights."""
        path = self.parent.path
        assert path is not None
        self.step = self.parent.step
        if not path.points:  # it ended before it knew that its path was wanted
            path.add(self.step, flat_weights(self.parent.network))
        points, steps = list(path.points), np.array([*path.steps, self.step])
        if path.steps[-1] != self.step:
            points.append(flat_weights(self.parent.network))
        steps = steps[: len(points)]
        laid = self._pool.submit(self._lay, points)
        yield from until(laid)
        drawn = laid.result()
        along = np.zeros(len(points))
        yield from self._survey.along(self.kind, drawn, drawn.path, along)
        for stride in self._survey.levels(drawn):
            if stride == 1 or (stride and not self._shown):
                self._picture = self._picture_of(drawn, stride, steps, along)
            yield stride
        self._shown = True

    def _lay(self, points: list[np.ndarray]) -> Plane:
        """The plane for a path."""
        stacked = np.stack(points).astype(np.float64)
        principal = not self.random and self.step >= FIRST_PRINCIPAL_STEP and len(points) >= 3
        return plane(stacked, principal_directions(stacked) if principal else self._random, principal)

    def _values(self) -> dict[str, Value]:
        """The latest complete level of the picture, once; and how much is computed."""
        values: dict[str, Value] = {"landscape_done": self._survey.share, **self._picture}
        self._picture = {}
        return values

    @property
    def place(self) -> int:
        """Points computed."""
        return round(self._survey.share * SIZE**2)

    def _picture_of(self, drawn: Plane, stride: int, steps: np.ndarray, along: np.ndarray) -> dict[str, Value]:
        x, y = self._survey.axes(drawn, stride)
        return {
            "landscape": self._survey.level(self.kind, stride),
            "landscape_x": x,
            "landscape_y": y,
            "path_x": drawn.path[:, 0],
            "path_y": drawn.path[:, 1],
            "path_loss": along,
            "path_steps": steps,
            "plane_is_pca": float(drawn.principal),
            "path_variance": drawn.variance,
            "path_length": drawn.length,
            "path_span": drawn.span,
            "path_begun": float(steps[0]),
        }
