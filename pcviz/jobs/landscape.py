"""Loss landscape: the mean loss on a plane through the current weights, while training goes on."""

from __future__ import annotations

import time

import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.frames import Frame, Value
from pcviz.jobs.path import Path
from pcviz.jobs.training import Training
from pcviz.pcn import build
from pcviz.probes.plane import Plane, plane, plane_losses, principal_directions, random_directions

SIZE = 21
STRIDES = (4, 2, 1)
"""Coarse to fine: 6 × 6, 11 × 11, 21 × 21 points; each level keeps the points of the one before."""
PROBE = 256
"""Loss is averaged over the first training examples."""
TILE = 4
"""Points in one call of the compiled program."""
FIRST_PRINCIPAL_STEP = 8
"""Before this step the path is too short to have directions of its own."""


class Landscape:
    """A child of a run (a `pcviz.jobs.protocol.Job`): one picture after another, each of the weights when it began.

    Option `directions`: "pca" (of the path; random before step 8) or "random". The first picture comes coarse to fine,
    later ones replace it when they are complete, so that the panel never falls back to a coarse one.
    """

    diverged = False
    at_boundary = True

    def __init__(self, experiment: Experiment, parent: Training, options: dict[str, object] | None = None) -> None:
        self.experiment = experiment
        self.parent = parent
        self.random = (options or {}).get("directions") == "random"
        self.step = -1
        self.seconds = 0.0
        if parent.path is None:
            parent.path = Path()
        self._plane: Plane | None = None
        self._losses = np.full((SIZE, SIZE), np.nan)
        self._level = 0
        self._shown = False
        self._todo: list[tuple[int, int]] = []
        self._path_losses = np.zeros(0)
        self._picture: dict[str, Value] = {}

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
        """Whether there is nothing new to draw: the picture of the parent's present weights is complete."""
        path = self.parent.path
        fresh = self._plane is None and self.step != self.parent.step
        return not (
            self._plane is not None or (fresh and path is not None and path.points and not self.parent.diverged)
        )

    @property
    def done(self) -> bool:
        """Whether the picture of the parent's last weights is complete."""
        return self.parent.done and self.idle

    def prepare(self) -> None:
        """Load the probe batch, draw the random directions, compile."""
        data = load(self.experiment.data, self.experiment.seed, self.experiment.dtype)
        self._x, self._y = jnp.asarray(data.x_train[:PROBE]), jnp.asarray(data.y_train[:PROBE])
        self._network = build(self.experiment, self._x.shape[1], self._y.shape[1])
        self._random = random_directions(self._network, self.experiment.seed)
        flat = np.zeros(self._random.shape[1])
        self._losses_at(flat, self._random, np.zeros((1, 2)))

    def _losses_at(self, center: np.ndarray, directions: np.ndarray, at: np.ndarray) -> np.ndarray:
        dtype = self.experiment.dtype
        padded = np.zeros((TILE, 2))
        padded[: len(at)] = at
        arrays = (jnp.asarray(a, dtype) for a in (center, directions, padded))
        return np.asarray(plane_losses(self._network, *arrays, self._x, self._y))[: len(at)]

    def advance(self, until_step: int, seconds: float) -> None:
        """Compute tiles for about `seconds`; begins a new picture where the last one is complete."""
        begun = time.perf_counter()
        if self._plane is None and not self.idle:
            self._begin()
        while self._plane is not None:
            if self._todo:
                self._compute(self._plane)
            if not self._todo:
                self._complete_level(self._plane)
            if time.perf_counter() - begun >= seconds:
                break
        self.seconds += time.perf_counter() - begun

    def _compute(self, drawn: Plane) -> None:
        """The next tile."""
        cells, self._todo = self._todo[:TILE], self._todo[TILE:]
        x, y = self._axes(drawn, 1)
        at = np.array([(x[column], y[row]) for row, column in cells])
        for (row, column), loss in zip(cells, self._losses_at(drawn.center, drawn.directions, at), strict=True):
            self._losses[row, column] = loss

    def _complete_level(self, drawn: Plane) -> None:
        last = self._level == len(STRIDES) - 1
        if last or not self._shown:
            self._picture = self._picture_of(drawn, STRIDES[self._level])
        if last:
            self._shown, self._plane = True, None
        else:
            self._level += 1
            self._todo = self._cells(self._level)

    def _begin(self) -> None:
        """A plane through the parent's present weights."""
        path = self.parent.path
        assert path is not None
        self.step = self.parent.step
        points = list(path.points)
        if path.steps[-1] != self.step:
            points.append(self.parent.flat_weights())
        self._path_steps = [*path.steps, self.step][: len(points)]
        stacked = np.stack(points).astype(np.float64)
        principal = not self.random and self.step >= FIRST_PRINCIPAL_STEP and len(points) >= 3
        self._plane = plane(stacked, principal_directions(stacked) if principal else self._random, principal)
        self._path_losses = np.concatenate(
            [
                self._losses_at(self._plane.center, self._plane.directions, self._plane.path[i : i + TILE])
                for i in range(0, len(points), TILE)
            ]
        )
        self._losses = np.full((SIZE, SIZE), np.nan)
        self._level = 0
        self._todo = self._cells(0)

    def _cells(self, level: int) -> list[tuple[int, int]]:
        """The points (row, column) that a level adds."""
        points = range(0, SIZE, STRIDES[level])
        return [(row, column) for row in points for column in points if np.isnan(self._losses[row, column])]

    def _axes(self, drawn: Plane, stride: int) -> list[np.ndarray]:
        ends = zip(drawn.lower, drawn.upper, strict=True)
        return [np.linspace(low, high, SIZE)[::stride] for low, high in ends]

    def frame(self, bulk: bool) -> Frame:
        """The latest complete level of the picture, once; and how much is computed."""
        computed = int(np.isfinite(self._losses).sum())
        values: dict[str, Value] = {"landscape_done": computed / SIZE**2, **self._picture}
        self._picture = {}
        return Frame("landscape", self.step, values, computed, seconds=self.seconds, done=self.done)

    def _picture_of(self, drawn: Plane, stride: int) -> dict[str, Value]:
        x, y = self._axes(drawn, stride)
        return {
            "landscape": self._losses[::stride, ::stride],
            "landscape_x": x,
            "landscape_y": y,
            "path_x": drawn.path[:, 0],
            "path_y": drawn.path[:, 1],
            "path_loss": self._path_losses,
            "path_steps": np.array(self._path_steps),
            "plane_is_pca": float(drawn.principal),
            "path_variance": drawn.variance,
            "path_length": drawn.length,
            "path_span": drawn.span,
            "path_begun": float(self._path_steps[0]),
        }

    def checkpoint(self) -> dict[str, np.ndarray]:
        """Nothing: the picture follows from the parent."""
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Nothing to restore."""
