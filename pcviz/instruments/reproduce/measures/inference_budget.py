"""How the budget of inference grows with depth (theory.md 4.10).

Each cell is a fresh network and a batch. All solvers start at its feedforward point; F* is the lowest energy that long
runs of conjugate gradients and Gauss-Newton find, or any of the solvers. The budget is the first step from which on the
excess F - F* is held at 1 % of the initial one, in iterations and in passes (gradient evaluations).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.instruments.reproduce.measures.arrival import Arrival, Hold, arrive, lowest_energy
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.inference_budget import SOLVERS, Cell, Protocol, cap_of
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.inference import settled_at
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings
from pcviz.probes.alignment import backprop_gradients, compare

ERROR_STEPS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Steps tried with error_based in each cell; the best one counts."""
LONG = {"conjugate_gradient": 400, "gauss_newton": 60}
"""Steps of the runs that find F*."""
UNDERCUT = 1e-3
"""Share of the initial excess by which a solver may end below F* before all are measured against its energy instead:
with kinks there are many minima, and the long runs need not find the lowest."""


@compiled()
def _gradients(network: Network, x: jax.Array, y: jax.Array, at: Settled) -> tuple[jax.Array, ...]:
    return weight_gradient(network, x, at.activities, settled_at(network, y, at.activities, at.errors[:-1]).errors)


def problem(cell: Cell, batch: int, dtype: str = "float64") -> tuple[Network, jax.Array, jax.Array]:
    """The fresh network, muPC with skips, and the first digits of the training set."""
    options = {"depth": cell.depth, "width": cell.width, "activation": cell.activation}
    options |= {"parameterisation": "mupc", "skips": True}
    experiment = Experiment.model_validate({"network": options, "dtype": dtype, "seed": cell.seed})
    data = load(experiment.data, cell.seed, dtype)
    x, y = (jnp.asarray(part[:batch]) for part in (data.x_train, data.y_train))
    return build(experiment, x.shape[1], y.shape[1]), x, y


def measure(cell: Cell, protocol: Protocol) -> Work[dict[str, Any]]:
    """All solvers on one network."""
    network, x, y = problem(cell, protocol.batch)
    batch, start = (x, y), forward(network, x)[0]
    largest = float(jnp.max(largest_curvature(network, x, y, start)))
    smallest = float(jnp.min(smallest_curvature(network, x, y, start)))
    ends = [lowest_energy(name, network, batch, Settings(None), steps) for name, steps in LONG.items()]
    least, bottom = min(ends, key=lambda end: end[0])
    initial = lowest_energy("conjugate_gradient", network, batch, Settings(None), 0)[0]

    reference = backprop_gradients(network, x, y)

    def race(least: float) -> Work[tuple[list[dict[str, Any]], float]]:
        """An entry for each solver, with F* = `least`; and the lowest energy that any of them met."""

        def run(name: str, settings: Settings, cap: int) -> Work[Arrival]:
            watch = Hold(protocol.share, protocol.hold, protocol.least_hold)
            return arrive(name, network, batch, settings, least, watch, cap)

        def descend(step: float, cap: int) -> Work[Arrival]:
            other, *inputs = problem(cell, protocol.batch, protocol.descent_dtype)
            watch = Hold(protocol.share, protocol.descent_hold, protocol.least_hold)
            settings = Settings(jnp.asarray(step, other.dtype))
            return arrive("gradient_descent", other, (inputs[0], inputs[1]), settings, least, watch, cap)

        entries, lowest = [], least
        for name in SOLVERS:
            cap, step = cap_of(name, cell.depth), None
            if name == "error_based":
                found, step = yield from _best_step(
                    lambda s, most: run("error_based", Settings(jnp.asarray(s, x.dtype)), most), cap
                )
            elif name == "gradient_descent":
                step = 1 / largest
                found = yield from descend(step, cap)
            else:
                bounds = (max(smallest, 1e-12), largest) if name == "nesterov" else None
                found = yield from run(name, Settings(None, curvatures=bounds), cap)
            lowest = min(lowest, found.lowest)
            entries.append(
                {
                    "solver": name,
                    "state": found.state,
                    "iterations": found.steps,
                    "passes": found.passes,
                    "cap": cap,
                    "least_excess": (found.lowest - least) / (initial - least),
                    "step_size": step,
                    "alignment": None if found.shown is None else _aligned(network, x, y, found.shown, reference),
                }
            )
        return entries, lowest

    entries, lowest = yield from race(least)
    while least - lowest > UNDERCUT * (initial - least):
        least = lowest
        entries, lowest = yield from race(least)
    return {
        "curvature_min": smallest,
        "curvature_max": largest,
        "condition_number": largest / smallest if smallest > 0 else None,
        "initial_energy": initial,
        "equilibrium_energy": least,
        "undercut": (least - lowest) / (initial - least),
        "alignment_at_equilibrium": _aligned(network, x, y, bottom, reference),
        "solvers": entries,
    }


def _best_step(run: Callable[[float, int], Work[Arrival]], cap: int) -> Work[tuple[Arrival, float | None]]:
    """The quickest of `ERROR_STEPS`; later ones run only as long as they can still be quicker."""
    best, chosen = None, None
    for step in ERROR_STEPS:
        found = yield from run(step, cap if best is None or best.steps is None else best.steps - 1)
        if best is None or found.steps is not None:
            best, chosen = found, step if found.steps is not None else None
    assert best is not None
    return best, chosen


def _aligned(network: Network, x: jax.Array, y: jax.Array, at: Settled, reference: list[np.ndarray]) -> list[float]:
    """Cosine of the weight gradients with backprop's in each quartile of depth, input side first."""
    stacks = _gradients(network, x, y, jax.tree.map(lambda stack: stack.astype(network.dtype), at))
    cosine = compare([layer for stack in stacks for layer in np.asarray(stack)], reference).quartile_cosine
    return [float(value) for value in cosine]


MEASURES = {"inference-budget": Measure(one_by_one(measure))}
