"""Curvature: the inference landscape of one example; Hessians, gradients and steps in weight space."""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import jax.numpy as jnp
import numpy as np

from pcviz.data.batches import batch_indices
from pcviz.frames import Value, trace_rows
from pcviz.instruments import CHANNELS
from pcviz.instruments.curvature.options import (
    GRID,
    PLACE_UNIT,
    SPECTRUM_MAX,
    Options,
    examples_that_fit,
    misfit,
    place,
)
from pcviz.jobs.look import Look
from pcviz.numerics import krylov
from pcviz.numerics.krylov import Work
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import as_float64, flat_weights, with_flat_weights
from pcviz.pcn.stacks import vector
from pcviz.probes import activity_plane, curvature, trust_region
from pcviz.probes.minimum import Minimum, descend

TILE = 128
"""Points in one call of the compiled program."""
PATH_ROWS = 128
BEYOND, BEYOND_MOST, BEYOND_ROWS = 64, 2048, 64
"""The path is followed for 64 times its own steps (2048 at most, if its own are fewer), to see where it leads."""
BINS = 61
"""Odd, so that zero is in the middle of a bin."""
RAY = np.geomspace(1e-3, 1, 10)
"""Places between the origin (0) and the weights (1) where gradients are measured."""
END_TOLERANCE = 1e-5

Result = TypeVar("Result")
Progress = tuple[str, float, dict[str, Value]]
"""A part of the work, the share of it that is done, and what has become known."""


class Curvature(Look[Options]):
    """A run of kind "curvature".

    The work runs in a thread of its own, a piece at a time and only while it is asked to advance, so that compilation
    does not delay other runs.
    """

    KIND, OPTIONS = "curvature", Options

    def _begin(self) -> None:
        self.values: dict[str, Value] = {}
        self._spectra: dict[str, np.ndarray] = {}
        self._thread = ThreadPoolExecutor(1, "pcviz-curvature")
        self._pending: Future[Progress | None] | None = None

    def prepare(self) -> None:
        """Load the data, build the network; programs are compiled as they are needed."""
        if (reason := misfit(self.experiment)) is not None:
            raise ValueError(reason)
        experiment = self.experiment
        seed, size = experiment.seed, experiment.learning.batch_size
        chosen = batch_indices(seed, self.options.batch, experiment.data.train_count, size)
        self._load_at(chosen[: examples_that_fit(experiment, self.options.examples)], self.options.step)

    def _piece(self, seconds: float) -> bool:
        if self._pending is None:
            self._pending = self._thread.submit(next, self._progress, None)
        if not wait([self._pending], max(0.001, seconds)).done:
            return True
        found, self._pending = self._pending.result(), None
        if found is None:
            self._thread.shutdown(wait=False)
            return False
        part, share, values = found
        self.values |= values
        self._share[part] = max(self._share[part], share)
        return True

    # --- the work, cut wherever something is yielded

    def _run(self, work: Work[Result], part: str, share: float) -> Generator[Progress, None, Result]:
        """Run a probe's work, yielding at its pauses; returns its value. Its first piece compiles what it needs."""
        self._compiling = True
        while True:
            try:
                next(work)
            except StopIteration as stopped:
                found: Result = stopped.value
                return found
            finally:
                self._compiling = False
            yield part, share, {}

    def _flat(self) -> np.ndarray:
        return flat_weights(self.network).astype(np.float64)

    def _work(self) -> Iterator[Progress]:
        for _ in self._weights(self.options.step):
            yield "train", self._share["train"], {}
        if not np.isfinite(np.asarray(forward(self.network, self.x)[1])).all():
            raise ValueError("source: the predictions overflow with its weights, there is no curvature to measure")
        flat = self._flat()
        yield (
            "plane",
            0.0,
            {
                "source_step": self.source_step,
                "curvature_examples": float(len(self.x)),
                "weight_count": float(flat.size),
                "weight_norm": float(np.linalg.norm(flat)),
            },
        )
        yield from self._plane()
        minimum = yield from self._run(descend(self.network, self.x, self.y), "ends", 0.0)
        yield from self._ends(minimum)
        yield from self._spectrum(minimum)
        yield from self._ray()
        yield from self._trust(minimum)

    def _plane(self) -> Iterator[Progress]:
        """The inference landscape of the first example."""
        x, y = self.x[:1], self.y[:1]
        work = descend(self.network, x, y)
        minimum = yield from self._run(work, "plane", 0.05)
        made = activity_plane.activity_plane(self.network, x, y, minimum)
        high, low = (float(c) for c in made.curvatures)
        numbers: dict[str, Value] = {
            "plane_curvature_max": high,
            "plane_curvature_min": low,
            "plane_condition": made.condition,
        }
        yield "plane", 0.3, numbers
        own = trace_rows(self.experiment.relaxation_steps, PATH_ROWS)
        last = max(1, int(own[-1]))
        further = np.geomspace(last, max(last, min(BEYOND * last, BEYOND_MOST)), BEYOND_ROWS).round().astype(np.int32)
        rows = np.union1d(own, further)
        walk = activity_plane.solver_path(self.network, x, y, self.experiment.inference, rows, self.experiment.seed)
        states = yield from self._run(walk, "plane", 0.4)
        path = activity_plane.path_on(made, self.network, x, y, states)
        count = int(np.searchsorted(rows[: len(states)], own[-1], side="right"))
        half = activity_plane.extent(made, path.at[:count])
        axes = [np.linspace(-h, h, GRID) for h in half]
        at = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
        padded = np.concatenate([at, np.zeros((-len(at) % TILE, 2))])
        energies = np.full(len(padded), np.nan)
        for first in range(0, len(padded), TILE):
            tile = padded[first : first + TILE]
            energies[first : first + TILE] = activity_plane.energies_on(made, self.network, x, y, tile, states[0])
            yield "plane", 0.5 + 0.5 * first / len(padded), {}
        yield (
            "plane",
            1.0,
            {
                "activity_plane": energies[: len(at)].reshape(GRID, GRID),
                "activity_plane_x": axes[0],
                "activity_plane_y": axes[1],
                "activity_path_x": path.at[:count, 0],
                "activity_path_y": path.at[:count, 1],
                "activity_path_steps": rows[:count],
                "activity_path_excess": path.excess[:count],
                "activity_beyond_x": path.at[count - 1 :, 0],
                "activity_beyond_y": path.at[count - 1 :, 1],
                "activity_beyond_steps": rows[count - 1 : len(states)],
                "plane_share": path.share,
            },
        )

    def _functions(self, minimum: Minimum) -> dict[str, curvature.Function]:
        """Loss and, where inference ends in a strict minimum, F*."""
        found = {"loss": curvature.loss(self.network, self.x, self.y)}
        if self.network.has_closed_form or minimum.factors is not None:
            found["energy"] = curvature.energy(self.network, self.x, self.y, minimum)
        return found

    def _ends(self, minimum: Minimum) -> Iterator[Progress]:
        """All eigenvalues of the Hessians at the origin; the least and greatest ones at the weights."""
        origin = curvature.origin(self.network, self.x, self.y)
        if origin is not None:
            for name, own in (("loss", origin.loss), ("energy", origin.energy)):
                self._spectra[f"origin_{name}"] = np.append(np.repeat(own, origin.multiplicity), np.zeros(origin.zeros))
            ends: dict[str, Value] = {
                f"origin_{name}_min": float(self._spectra[f"origin_{name}"].min()) for name in ("loss", "energy")
            }
            yield "ends", 0.45, ends | self._histogram()
        for share, (name, function) in zip((0.5, 0.6), self._functions(minimum).items(), strict=False):
            search = krylov.ends(function.product, function.gradient.size, tolerance=END_TOLERANCE)
            found = yield from self._run(search, "ends", share)
            yield "ends", share + 0.1, self._end_values(name, found.values)
        yield "ends", 1.0, {}

    def _end_values(self, name: str, ends: np.ndarray) -> dict[str, Value]:
        return {
            f"{name}_curvature_min": float(ends[0]),
            f"{name}_curvature_max": float(ends[1]),
            f"{name}_ends": ends,
            f"{name}_end_places": place(ends),
        }

    def _spectrum(self, minimum: Minimum) -> Iterator[Progress]:
        """All eigenvalues at the weights, of small networks."""
        size = self._flat().size
        if size <= SPECTRUM_MAX:
            for share, (name, function) in zip((0.0, 0.5), self._functions(minimum).items(), strict=False):
                matrix = yield from self._run(krylov.matrix(function.products, size, TILE // 4), "spectrum", share)
                self._spectra[name] = np.linalg.eigvalsh(matrix)
                ends = self._spectra[name][[0, -1]]
                yield "spectrum", share + 0.5, self._histogram() | self._end_values(name, ends)
        yield "spectrum", 1.0, {}

    def _histogram(self) -> dict[str, Value]:
        places = {name: place(values) for name, values in self._spectra.items()}
        most = max(max(float(np.abs(p).max()) for p in places.values()), 1.0)
        edges = np.linspace(-most, most, BINS + 1) * (1 + 1e-9)
        middles = (edges[1:] + edges[:-1]) / 2
        values: dict[str, Value] = {
            "eigenvalue_bins": middles,
            "eigenvalue_middles": np.sign(middles) * PLACE_UNIT * (10 ** np.abs(middles) - 1),
        }
        return values | {f"{name}_eigenvalues": np.histogram(p, edges)[0] for name, p in places.items()}

    def _ray(self) -> Iterator[Progress]:
        """Gradient norms on the way from the origin to the weights."""
        wide, flat = as_float64(self.network), self._flat()
        norms: list[tuple[float, float]] = []
        for share in RAY:
            at = with_flat_weights(wide, jnp.asarray(share * flat))
            done = len(norms) / len(RAY)
            settled = yield from self._run(descend(at, self.x, self.y, polish=False), "ray", done)
            gradients = (
                curvature.loss(at, self.x, self.y).gradient,
                curvature.energy_gradient(at, self.x, self.y, settled.activities),
            )
            norms.append((float(np.linalg.norm(gradients[0])), float(np.linalg.norm(gradients[1]))))
            columns = np.array(norms).T
            distance = RAY[: len(norms)] * np.linalg.norm(flat)
            yield (
                "ray",
                len(norms) / len(RAY),
                {"ray_distance": distance, "ray_loss_gradient": columns[0], "ray_energy_gradient": columns[1]},
            )

    def _trust(self, minimum: Minimum) -> Iterator[Progress]:
        """Predictive coding's step against the gradient's and Gauss-Newton's."""
        pc = curvature.energy_gradient(self.network, self.x, self.y, minimum.activities)
        found = yield from self._run(trust_region.steps(self.network, self.x, self.y, pc), "steps", 0.1)
        angles = trust_region.angles(found)
        inference = trust_region.activity_step(self.network, self.x, self.y, minimum)
        lengths: dict[str, Value] = {
            f"{name}_step": np.array([np.linalg.norm(vector(w)) for w in getattr(found, name)])
            for name in ("pc", "gradient", "newton")
        }
        values: dict[str, Value] = {
            "pc_gradient_cosine": angles.to_gradient.cosine,
            "pc_newton_cosine": angles.to_newton.cosine,
            "newton_gradient_cosine": angles.newton_to_gradient.cosine,
            "pc_gradient_total": float(angles.to_gradient.total_cosine),
            "pc_newton_total": float(angles.to_newton.total_cosine),
            "newton_gradient_total": float(angles.newton_to_gradient.total_cosine),
            "pc_gradient_ratio": float(angles.to_gradient.total_norm_ratio),
            "newton_damping": found.damping,
            "activity_newton_cosine": inference.newton_cosine,
            "activity_gradient_cosine": inference.gradient_cosine,
            "activity_newton_ratio": inference.newton_ratio,
        }
        yield "steps", 1.0, values | lengths

    # --- what it reports

    def _values(self, bulk: bool) -> dict[str, Value]:
        return {name: value for name, value in self.values.items() if bulk or not CHANNELS[name].bulk}


JOBS = {"curvature": Curvature}
