"""What one network really does: every step of relaxations longer than the page's, and curvatures of whole matrices."""

from __future__ import annotations

from functools import cache, cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Inference
from pcviz.instruments.relaxation.job import RelaxationJob
from pcviz.instruments.relaxation.options import ARRIVED, STAYS
from pcviz.jobs.descent import Descent
from pcviz.numerics.blocktridiagonal import dense
from pcviz.numerics.krylov import finish
from pcviz.pcn import Relaxation, backprop, layers_with_signal, relax, weight_gradients
from pcviz.pcn.energy import layer_energies, rms, rounding_energies
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.network import Network, as_float64, with_precision
from pcviz.pcn.solvers import solver_of
from pcviz.pcn.trajectory import Trajectory
from pcviz.probes.hessian import as_stacks, hessian_blocks
from pcviz.probes.minimum import descend

FACTOR = 2.0
HORIZON = 4096
"""Steps of the long relaxation: twice what the page gives a solver."""


class Arrival(NamedTuple):
    """When an energy came within 1 % of the initial excess: the first step within it (`first`), the first from which it
    stayed within what rounds to 1 % (`stays`), and the first within 1 % from then on (`settled`). Infinite: never."""

    first: float
    stays: float
    settled: float

    def agrees(self, claimed: float) -> bool:
        """Whether a number of steps is one of these, or lies between, within a factor of two."""
        return min(self) / FACTOR <= max(1, claimed) and claimed <= FACTOR * max(1, *self) < np.inf


def arrival(energies: np.ndarray, least: float, at: np.ndarray | None = None) -> Arrival:
    """The arrival of total energies at the steps `at` (None: all), relative to the energy `least`."""
    share = (energies - least) / (energies[0] - least)
    steps = np.append(np.arange(len(energies)) if at is None else at, np.inf)
    inside, outside = np.flatnonzero(share <= ARRIVED), np.flatnonzero(~(share <= STAYS))
    stays = outside[-1] + 1 if len(outside) else 0
    later = inside[inside >= stays]
    return Arrival(*(steps[found] for found in ([*inside, -1][0], stays, [*later, -1][0])))


class Measured:
    """The network, batch and experiment of a finished look `job`, measured anew."""

    def __init__(self, job: RelaxationJob) -> None:
        self.job, self.experiment = job, job.experiment
        self.network, self.x, self.y = job.network, job.x, job.y
        self.exact = as_float64(job.network), jnp.asarray(job.x, jnp.float64), jnp.asarray(job.y, jnp.float64)

    @cached_property
    def long(self) -> np.ndarray:
        """Total energies of the experiment's own solver from the feedforward start, (HORIZON + 1,)."""
        return self._relaxed(self.network, self._feedforward, HORIZON).sum(1)

    @cached_property
    def first_layer(self) -> np.ndarray:
        """rms(e_1) of the experiment's own relaxation in float64, (HORIZON + 1,)."""
        energies = self._relaxed(self.exact[0], self.experiment.inference, HORIZON)
        return np.sqrt(2 * energies[:, 0] / self.experiment.network.width)

    @cached_property
    def error_based(self) -> np.ndarray:
        """Total energies of error-based inference as compared, as far as the page followed it."""
        descent = self.job.descents["error_based"]
        size = float(np.asarray(descent.settings.step_size))
        changes = {"initial": "feedforward", "solver": "error_based", "step_size": size}
        inference = self.experiment.inference.model_copy(update=changes)
        return self._relaxed(self.network, inference, int(descent.steps[-1])).sum(1)

    def _relaxed(self, network: Network, inference: Inference, steps: int) -> np.ndarray:
        x, y = (self.x, self.y) if network is self.network else self.exact[1:]
        return relax(network, x, y, inference, steps).energies

    @cached_property
    def own(self) -> Relaxation:
        """The experiment's own relaxation, from its own start."""
        return self.relaxed_for(self.experiment.relaxation_steps)

    def relaxed_for(self, steps: int) -> Relaxation:
        """The experiment's own relaxation for this many steps."""
        return relax(self.network, self.x, self.y, self.experiment.inference, steps, seed=self.experiment.seed)

    def heard(self, steps: int) -> int:
        """The number of layers that the target has reached after this many steps."""
        relaxed = self.relaxed_for(steps)
        errors = relaxed.settled.errors
        if self.experiment.inference.initial != "feedforward":
            inference, seed = self.experiment.inference, self.experiment.seed
            free = relax(with_precision(self.network, 0), self.x, self.y, inference, steps, seed=seed).settled.errors
            errors = (*(e - o for e, o in zip(errors[:-1], free[:-1], strict=True)), errors[-1])
        return int(layers_with_signal(relaxed.settled.activities, errors, self.y))

    @cached_property
    def lowest_in_float64(self) -> float:
        """The energy at the minimum above the feedforward point, by Gauss-Newton and conjugate gradients."""
        network, x, y = self.exact
        z = finish(descend(network, x, y, polish=False)).activities
        local = activity_gradient(network, x, y, z)
        return float(layer_energies(network, local.errors[:-1], local.output, y).sum())

    @cached_property
    def least(self) -> float:
        """The lowest energy found: by the page, the long relaxation or the minimum in float64."""
        found = [self.job.lowest, self.lowest_in_float64, float(np.nanmin(self.long))]
        return min(energy for energy in found if np.isfinite(energy))

    def cosine(self, steps: int) -> float:
        """Cosine of predictive coding's weight gradients after this many steps and backpropagation's."""
        own = weight_gradients(self.network, self.x, self.y, self.relaxed_for(steps))
        reference = backprop(self.network, self.x, self.y).gradients
        g, r = (np.concatenate([np.asarray(w, np.float64).ravel() for w in ws]) for ws in (own, reference))
        g, r = g / np.abs(g).max(), r / np.abs(r).max()
        return float(g @ r / np.sqrt((g @ g) * (r @ r)))

    @cache  # noqa: B019  (lives as long as the network is in use)
    def needed(self, solver: str) -> tuple[Arrival, Arrival] | None:
        """Steps and gradient evaluations of a solver of the comparison, recorded more often than on the page, to twice
        its arrival or to where the page stopped it; None: it did not arrive."""
        seen, there = self.job.descents[solver], self.job.arrival(solver)[0]
        if not np.isfinite(there):
            return None
        last = min(seen.steps[-1], max(2 * there, there + 20))
        marks = np.unique(np.append(np.arange(min(last, 128) + 1), np.geomspace(1, max(1, last), 256).round()))
        path = Trajectory(solver_of(solver), self.network, self.x, self.y, seen.settings)
        energies, passes = zip(*((at.energy, at.cost[0]) for at in path.iterates(marks)), strict=True)
        found = np.array(energies), self.job.lowest
        return arrival(*found, marks), arrival(*found, np.array(passes))

    def milliseconds(self, solver: str) -> float | None:
        """Computing time until a solver's arrival, from running it once more; None: it was not recorded there."""
        job, seen = self.job, self.job.descents[solver]
        again = Descent(solver, self.network, (self.x, self.y), seen.settings, seen.budget, seen.chunk)
        while not again.done and len(again.steps) < len(seen.steps):
            again.advance(0.0, None)
        step = job.arrival(solver)[0]
        return 1e3 * again.seconds[again.steps.index(step)] if step in again.steps else None

    @property
    def model_start(self) -> tuple[slice, list[jax.Array]]:
        """The examples that the model uses, and their feedforward activities."""
        few = slice(int(np.asarray(self.job.forecast.values["model_examples"])))
        return few, [z[few] for z in relax(*self.exact, self._feedforward, 0).activities]

    @cached_property
    def _some(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues (B, H N) of the activity Hessians of the examples that the model uses, and the squared
        components of their gradients along the eigenvectors."""
        network, x, y = self.exact
        few, start = self.model_start
        blocks = hessian_blocks(network, x[few], y[few], start)
        values, vectors = np.linalg.eigh(dense(blocks))
        gradient = activity_gradient(network, x[few], y[few], as_stacks(network, start)).gradient
        flat = np.moveaxis(np.concatenate(gradient), 0, 1).reshape(len(values), -1)
        return values, np.einsum("bi,bij->bj", flat, vectors) ** 2

    @property
    def _feedforward(self) -> Inference:
        return self.experiment.inference.model_copy(update={"initial": "feedforward"})

    @property
    def curvatures(self) -> np.ndarray:
        """Eigenvalues of the activity Hessians of the examples that the model uses, ascending, (B, H N)."""
        return self._some[0]

    def model_excess(self, steps: float) -> np.ndarray:
        """What gradient descent leaves of the excess of the quadratic model after this many steps: of the mean energy,
        then of each example's."""
        values, squares = self._some
        initial = squares / (2 * values)
        with np.errstate(over="ignore"):
            left = initial * np.abs(1 - self.experiment.inference.step_size * values) ** (2 * steps)
        return np.append(left.sum() / initial.sum(), left.sum(1) / initial.sum(1))


def layers_in_a_chain(measured: Measured, steps: int) -> int:
    """Layers with an error above rounding if all passed their errors on unchanged: scalars by hand under a steady error
    at the top, with the energy that the network has in layer H (in the output if that has none)."""
    inference, depth = measured.experiment.inference, measured.experiment.network.depth
    relaxed = measured.relaxed_for(steps)
    energies = relaxed.energies[-1]
    floors = np.asarray(rounding_energies(relaxed.settled.activities, measured.y))
    z = velocity = np.zeros(depth - 1)
    momentum = inference.momentum if inference.solver == "momentum" else 0.0
    for _ in range(steps):
        errors = np.diff(z, prepend=0.0)
        velocity = momentum * velocity + np.append(errors[1:], 1.0) - errors
        z = z + inference.step_size * velocity
    shares = np.diff(z, prepend=0.0) ** 2
    shares = np.ones(depth - 1) if inference.solver == "error_based" else shares / shares[-1]
    source = energies[-2] if energies[-2] > floors[-2] else energies[-1]
    return 1 + int(np.sum(shares * source > floors[:-1])) if steps else 1


def chain_steps(measured: Measured, most: int) -> int | None:
    """Steps until the first unit of a chain of scalars with the network's own gains has an error above rounding."""
    network, x, y = measured.network, measured.x, measured.y
    norms = np.array([np.linalg.norm(np.asarray(d, np.float64)) for d in backprop(network, x, y).deltas])
    sizes = np.sqrt(np.array([np.size(d) for d in backprop(network, x, y).deltas]))
    first = np.asarray(relax(network, x, y, measured.experiment.inference, 0).activities[0], np.float64)
    floor = 10 * float(jnp.finfo(network.dtype).eps) * float(np.sqrt(np.mean(first**2))) * sizes[0]
    precision = np.append(np.ones(len(norms) - 2), float(network.output_precision[...]))
    gains = np.where(norms[1:] > 0, norms[:-1] / np.where(norms[1:] > 0, norms[1:], 1), 0)
    size, z = measured.experiment.inference.step_size, np.zeros(len(norms) - 1)
    for t in range(most + 1):
        errors = np.append(z, norms[-1]) - np.append(0, gains * z)
        if abs(errors[0]) > floor:
            return t
        z = z - size * (errors[:-1] - gains * precision * errors[1:])
    return None


def signal_floor(activity: jax.Array) -> float:
    """10 eps rms(z_l): an error must exceed it to be more than rounding in the format of `activity` (B, N_l)."""
    return 10 * float(jnp.finfo(activity.dtype).eps) * float(rms(activity[None])[0])
