"""Surveying a plane: surfaces at the points of a grid, coarse to fine, a few points at a time."""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np

from pcviz.numerics import device_kind
from pcviz.pcn.network import Network, weight_count
from pcviz.probes.plane import Plane
from pcviz.probes.surface import Kind, plane_heights

COARSEST = 5
"""The first level has at least this many cells along each side."""
TILE: dict[Kind, int] = {"loss": 4, "energy": 1}
"""Points in one call of the compiled program, the most that a pause has to wait for; each counts as many times as
points are computed at once."""


class Survey:
    """Surfaces `kinds` on one plane after another, for networks like `network`, x (B, D), y (B, K); `size`² points.

    `heights` are those of the present plane, (size, size) float64 for each kind: row y, column x, NaN where nothing was
    computed yet. Each level keeps the points of the one before. `tolerance` is the worst one of F* so far.
    """

    def __init__(self, network: Network, x: np.ndarray, y: np.ndarray, kinds: Sequence[Kind], size: int) -> None:
        self.network, self.kinds, self.size = network, tuple(kinds), size
        self.x, self.y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
        cells = size - 1
        self.strides = [stride for stride in (8, 4, 2, 1) if cells % stride == 0 and cells // stride >= COARSEST]
        together = device_kind.in_use().at_once(weight_count(network))
        self._tile = {kind: TILE[kind] * together for kind in kinds}
        self.heights: dict[Kind, np.ndarray] = {}
        self.tolerance = 0.0
        self._forget()

    def _forget(self) -> None:
        self.heights = {kind: np.full((self.size, self.size), np.nan) for kind in self.kinds}

    def compile(self, parameters: int) -> None:
        """Run the compiled programs once, for weights (P,)."""
        nowhere = Plane.at(np.zeros(parameters), np.zeros((2, parameters)))
        for kind in self.kinds:
            self.at(kind, nowhere, np.zeros((1, 2)))
        self.tolerance = 0.0

    def at(self, kind: Kind, plane: Plane, points: np.ndarray) -> np.ndarray:
        """Heights (M,) of a surface at a few points (M, 2), at most one tile."""
        padded = np.zeros((self._tile[kind], 2))
        padded[: len(points)] = points
        arrays = (jnp.asarray(a, self.network.dtype) for a in (plane.center, plane.directions, padded))
        heights, tolerances = (
            np.asarray(found)[: len(points)] for found in plane_heights(kind, self.network, *arrays, self.x, self.y)
        )
        self.tolerance = max(self.tolerance, *tolerances[np.isfinite(heights)], 0.0)
        return heights

    def along(self, kind: Kind, plane: Plane, points: np.ndarray, into: np.ndarray) -> Iterator[None]:
        """A surface at many points (S, 2), written `into` (S,); yields after every tile."""
        size = self._tile[kind]
        for first in range(0, len(points), size):
            into[first : first + size] = self.at(kind, plane, points[first : first + size])
            yield

    def levels(self, plane: Plane) -> Iterator[int | None]:
        """All points of a plane: yields None after every tile and its stride when a level is complete."""
        self._forget()
        for stride in self.strides:
            x, y = self.axes(plane, 1)
            for kind in self.kinds:
                heights, size, lattice = self.heights[kind], self._tile[kind], range(0, self.size, stride)
                cells = [(row, column) for row in lattice for column in lattice if np.isnan(heights[row, column])]
                for first in range(0, len(cells), size):
                    part = cells[first : first + size]
                    rows, columns = zip(*part, strict=True)
                    found = self.at(kind, plane, np.array([(x[column], y[row]) for row, column in part]))
                    # An overflow is far above everything that can be drawn, but it counts as computed.
                    heights[rows, columns] = np.where(np.isnan(found), np.inf, found)
                    yield None
            yield stride

    @property
    def share(self) -> float:
        """How much of the present plane is computed."""
        return float(np.mean([np.mean(~np.isnan(heights)) for heights in self.heights.values()]))

    def axes(self, plane: Plane, stride: int) -> list[np.ndarray]:
        """Coordinates of a level's points along both directions."""
        ends = zip(plane.lower, plane.upper, strict=True)
        return [np.linspace(low, high, self.size)[::stride] for low, high in ends]

    def level(self, kind: Kind, stride: int) -> np.ndarray:
        """The heights of a level, NaN where they overflow."""
        heights = self.heights[kind][::stride, ::stride]
        return np.where(np.isfinite(heights), heights, np.nan)
