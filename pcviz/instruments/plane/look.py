"""Loss and equilibrated energy F* on one plane through a network's weights."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jax.numpy as jnp
import numpy as np

from pcviz.experiment.looks import unexamined
from pcviz.frames import Value
from pcviz.instruments.plane.options import Options
from pcviz.jobs.background import until
from pcviz.jobs.look import Look, Stored
from pcviz.jobs.path import Path
from pcviz.jobs.stored import arrays_of, with_arrays
from pcviz.jobs.survey import Survey
from pcviz.jobs.training import Training
from pcviz.pcn import Network, build
from pcviz.pcn.network import flat_weights, weight_count, with_flat_weights
from pcviz.probes.arrows import arrows
from pcviz.probes.directions import directions_of
from pcviz.probes.plane import Plane, plane, random_directions, shadow
from pcviz.probes.surface import Kind

ARROWS = 11
"""Arrows along each side."""
KINDS: tuple[Kind, ...] = ("loss", "energy")


class PlaneLook(Look[Options]):
    """A run of kind "plane". If the options name a stored run, the plane leads to its weights.

    The weights at the centre, and the path to them, come from retraining from the seed, which gives the same weights
    as any run of this experiment.
    """

    KIND, OPTIONS = "plane", Options

    plane: Plane
    _training: Training

    def _begin(self) -> None:
        self._picture: dict[str, Value] = {}

    def prepare(self) -> None:
        """Load the data, build the network, compile."""
        experiment, options = self.experiment, self.options
        if (reason := unexamined(experiment)) is not None:
            raise ValueError(reason)
        self._load(slice(options.examples))
        self._training = Training(experiment.changed({"learning.steps": max(1, options.step)}))
        if options.step:
            self._training.path = Path()
            self._training.prepare()
        self._other = None if self._source is None else self._retraining(experiment, options.source_step)
        if self._other is None:
            self._share.pop("train other", None)
        self._survey = Survey(self.network, np.asarray(self.x), np.asarray(self.y), KINDS, options.size)
        self._survey.compile(weight_count(self.network))
        self._pool = ThreadPoolExecutor(1, "pcviz-plane")

    def _work(self) -> Iterator[object]:
        yield from self.founded()
        along = {kind: np.full(len(self.plane.path), np.nan) for kind in KINDS}
        for kind in KINDS:
            for _ in self._survey.along(kind, self.plane, self.plane.path, along[kind]):
                yield True
        for stride in self._survey.levels(self.plane):
            self._share["grid"] = self._survey.share
            if stride:
                self._picture = self._picture_of(stride, along)
            yield True

    def founded(self) -> Iterator[object]:
        """Compute the weights and the plane, if they are not known yet."""
        if not hasattr(self, "plane"):
            if self.options.step:
                self.network = yield from self._train(self._training, self.options.step)
            if self._other is not None:
                step = self.options.source_step or 0
                other = yield from self._train(self._other, step, "train other")
                self._source = Stored(step, arrays_of(other), self._other.experiment)
            laid = self._pool.submit(self._lay)
            yield from until(laid)
            self.plane = laid.result()

    def _lay(self) -> Plane:
        """The plane: centre, directions, extent, and the path's place on it."""
        options, path = self.options, self._training.path
        flat = flat_weights(self.network)
        points = np.stack([flat] if path is None else [*path.points[: self._before], flat]).astype(np.float64)
        self._path_steps = np.array([*(path.steps[: self._before] if path else []), options.step])
        seed = self.experiment.seed if options.seed is None else options.seed
        if options.directions == "path":
            laid = plane(points, directions_of("path", self.network, self.x, self.y, points), principal=True)
        else:
            other = None if self._source is None else flat_weights(with_arrays(self.network, self._source.arrays))
            random = random_directions(build(self.experiment, self.x.shape[1], self.y.shape[1]), seed)
            chosen = directions_of(options.directions, self.network, self.x, self.y, points, random, other)
            laid = plane(points, chosen, principal=False)
        middle = np.array([options.center_x, options.center_y])
        if options.span is not None:
            ends = options.span * np.ones(2)
            return laid.spanning(middle - ends, middle + ends)
        if options.directions == "run":
            middle = middle + np.array([0.5, 0])
        return laid.spanning(laid.lower + middle, laid.upper + middle)

    @property
    def _before(self) -> int:
        """How many of the path's snapshots lie before the centre."""
        path = self._training.path
        return 0 if path is None else sum(step < self.options.step for step in path.steps)

    def at(self, coordinates: np.ndarray) -> Network:
        """The network at a point (2,) of the plane."""
        flat = self.plane.center + coordinates @ self.plane.directions
        return with_flat_weights(self.network, jnp.asarray(flat, self.network.dtype))

    def place(self, networks: list[np.ndarray]) -> np.ndarray:
        """Coordinates (S, 2) of flat weights (P,), projected onto the plane."""
        points = np.stack([*networks, self.plane.center]).astype(np.float64)
        return shadow(points, self.plane.directions)[0][:-1]

    def _values(self, bulk: bool) -> dict[str, Value]:
        """The latest complete level of the picture, once."""
        values: dict[str, Value] = {"landscape_done": self._survey.share, **(self._picture if bulk else {})}
        if bulk:
            self._picture = {}
        return values

    def _picture_of(self, stride: int, along: dict[Kind, np.ndarray]) -> dict[str, Value]:
        x, y = self._survey.axes(self.plane, stride)
        loss, energy = (self._survey.level(kind, stride) for kind in KINDS)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = loss / energy
        values: dict[str, Value] = {
            "landscape": loss,
            "landscape_energy": energy,
            "landscape_ratio": ratio,
            "landscape_x": x,
            "landscape_y": y,
            "path_x": self.plane.path[:, 0],
            "path_y": self.plane.path[:, 1],
            "path_loss": along["loss"],
            "path_energy": along["energy"],
            "path_steps": self._path_steps,
            "path_variance": self.plane.variance,
            "path_length": self.plane.length,
            "loss_here": float(along["loss"][-1]),
            "energy_here": float(along["energy"][-1]),
            "energy_tolerance": self._survey.tolerance,
        }
        every = max(1, (len(x) - 1) // (ARROWS - 1))
        for kind, heights in zip(KINDS, (loss, energy), strict=True):
            values[f"arrows_{kind}_x"], values[f"arrows_{kind}_y"] = arrows(x, y, heights, every)
        return values

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Begin again; a finished plane stays finished, because walks on it may continue."""
        if arrays["step"] >= self.steps:
            self.step, self.seconds = self.steps, float(arrays["seconds"])
        super().restore(arrays)
