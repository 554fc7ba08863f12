"""How the budget of inference grows with depth (theory.md 4.10).

Each cell is a fresh network and a batch. All solvers start at its feedforward point; F* is the lowest energy that long
runs of conjugate gradients and Gauss-Newton find, or any of the solvers. The budget is the first step from which on the
excess F - F* is held at 1 % of the initial one, in iterations and in passes (gradient evaluations). PC-ALM is left out:
it descends another function, and its energy goes back up to the loss.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.reproduce.arrival import Arrival, Hold, arrive, lowest_energy
from pcviz.instruments.reproduce.documents import claim, document_of
from pcviz.instruments.reproduce.exponent import fit
from pcviz.instruments.reproduce.options import OURS, PROMISED, REPORTED, SOLVERS, Cell, Protocol
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


def cap_of(solver: str, depth: int) -> int:
    """Most steps before a solver must have arrived: about twice what is usual."""
    return {
        "gradient_descent": 10 * depth**2 + 500,
        "nesterov": 40 * depth,
        "error_based": 512,
        "conjugate_gradient": 256,
        "gauss_newton": 64,
    }[solver]


def problem(cell: Cell, batch: int, dtype: str = "float64") -> tuple[Network, jax.Array, jax.Array]:
    """The fresh network, muPC with skips, and the first digits of the training set."""
    options = {"depth": cell.depth, "width": cell.width, "activation": cell.activation}
    options |= {"parameterisation": "mupc", "skips": True}
    experiment = Experiment.model_validate({"network": options, "dtype": dtype, "seed": cell.seed})
    data = load(experiment.data, cell.seed, dtype)
    x, y = (jnp.asarray(part[:batch]) for part in (data.x_train, data.y_train))
    return build(experiment, x.shape[1], y.shape[1]), x, y


def measure(cell: Cell, protocol: Protocol) -> Work[dict[str, Any]]:
    """Measure all solvers on one network; returns an entry of the document's `cells`."""
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
        **cell._asdict(),
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


def document(found: list[dict[str, Any]], protocol: Protocol) -> dict[str, Any]:
    """The document of the cells measured so far: medians and exponents, and the cells themselves."""
    found = sorted(found, key=lambda cell: (cell["depth"], cell["width"], cell["activation"], cell["seed"]))
    return document_of(
        "inference-budget",
        found,
        protocol,
        solvers=[summarise(name, found, protocol) for name in SOLVERS],
        condition_number=_condition(found),
        alignment_at_equilibrium=_at_equilibrium(found),
        best_of_ours=best_of_ours(found, protocol),
        largest_undercut=max((cell["undercut"] for cell in found), default=0.0),
        verdict=verdict(found, protocol),
    )


def verdict(found: list[dict[str, Any]], protocol: Protocol) -> list[dict[str, Any]]:
    """The claim with what was measured: `kept` is None while networks are missing, or too few arrived for an
    exponent."""
    best = best_of_ours(found, protocol)
    text = f"of the solvers in error coordinates the best needs steps that grow as L^p, p at most {PROMISED:g}"
    if best is None:
        return [claim(text, None, None)]
    kept = best["kept"] if len(found) == len(protocol.cells) else None
    return [claim(text, best["exponent"], kept, best["interval"])]


def _entry(cell: dict[str, Any], solver: str) -> dict[str, Any]:
    return next(entry for entry in cell["solvers"] if entry["solver"] == solver)


def _exponent(points: list[tuple[dict[str, Any], float]]) -> dict[str, Any] | None:
    kinds = [(cell["width"], cell["activation"]) for cell, _ in points]
    found = fit([cell["depth"] for cell, _ in points], [value for _, value in points], kinds)
    return None if found is None else found._asdict()


def _condition(cells: list[dict[str, Any]]) -> dict[str, Any]:
    points = [(cell, cell["condition_number"]) for cell in cells if cell["condition_number"] is not None]
    by_depth = {str(d): float(np.median([v for c, v in points if c["depth"] == d])) for d in _depths(cells)}
    return {"by_depth": by_depth, "exponent": _exponent(points), "reported": REPORTED["condition_number"]._asdict()}


def _at_equilibrium(cells: list[dict[str, Any]]) -> dict[str, list[float]]:
    def middle(depth: int) -> list[float]:
        rows = [cell["alignment_at_equilibrium"] for cell in cells if cell["depth"] == depth]
        return [float(value) for value in np.median(rows, axis=0)]

    return {str(depth): middle(depth) for depth in _depths(cells)}


def _depths(cells: list[dict[str, Any]]) -> list[int]:
    return sorted({cell["depth"] for cell in cells})


def summarise(solver: str, cells: list[dict[str, Any]], protocol: Protocol) -> dict[str, Any]:
    """One solver over all cells: medians for each depth (those that did not arrive count as infinitely late; None where
    the median would be one of them), exponents over those that did, and the median alignment there."""
    own = [(cell, _entry(cell, solver)) for cell in cells]
    there = [(cell, entry) for cell, entry in own if entry["state"] == "arrived"]

    def medians(quantity: str) -> dict[str, float | None]:
        found = {}
        for depth in protocol.depths:
            late = [np.inf if e[quantity] is None else e[quantity] for c, e in own if c["depth"] == depth]
            middle = float(np.median(late)) if late else np.inf
            found[str(depth)] = middle if np.isfinite(middle) else None
        return found

    def aligned(depth: int) -> list[float] | None:
        rows = [entry["alignment"] for cell, entry in there if cell["depth"] == depth]
        return np.median(rows, axis=0).tolist() if rows else None

    reported = REPORTED.get(solver)
    return {
        "solver": solver,
        "iterations": medians("iterations"),
        "passes": medians("passes"),
        "caps": {str(depth): cap_of(solver, depth) for depth in protocol.depths},
        "arrived": len(there),
        "not_arrived": len(own) - len(there),
        "exponent_of_iterations": _exponent([(cell, entry["iterations"]) for cell, entry in there]),
        "exponent_of_passes": _exponent([(cell, entry["passes"]) for cell, entry in there]),
        "reported": None if reported is None else reported._asdict(),
        "alignment": {str(depth): aligned(depth) for depth in protocol.depths},
    }


def best_of_ours(cells: list[dict[str, Any]], protocol: Protocol) -> dict[str, Any] | None:
    """Of the solvers in error coordinates, the one with the fewest passes at the greatest depth, and whether its
    exponent in iterations is at most PROMISED."""
    rows = [summarise(name, cells, protocol) for name in OURS]
    deepest = str(max(protocol.depths))
    rows = [row for row in rows if row["passes"][deepest] is not None and row["exponent_of_iterations"] is not None]
    if not rows:
        return None
    best = min(rows, key=lambda row: row["passes"][deepest])
    found = best["exponent_of_iterations"]
    verdict = {"exponent": found["value"], "interval": found["interval"], "not_arrived": best["not_arrived"]}
    return {"solver": best["solver"], **verdict, "promised": PROMISED, "kept": found["value"] <= PROMISED}


def values(found: dict[str, Any], protocol: Protocol) -> dict[str, Value]:
    """The channels of a frame, from the document."""
    condition, solvers = found["condition_number"], found["solvers"]
    names = [str(depth) for depth in protocol.depths]
    measured = found["alignment_at_equilibrium"]
    columns = [condition["by_depth"], *(row["iterations"] for row in solvers)]
    budget = np.array([[column.get(depth) for column in columns] for depth in names], float)
    caps = [[0, *(row["caps"][depth] for row in solvers)] for depth in names]
    late = np.isnan(budget) & np.array([[depth in measured] for depth in names])
    exponents = [condition["exponent"], *(row["exponent_of_iterations"] for row in solvers)]
    exponent = np.array([np.nan if p is None else p["value"] for p in exponents])
    interval = [(np.nan, np.nan) if p is None or p["interval"] is None else p["interval"] for p in exponents]
    power = exponent * np.log(protocol.depths)[:, None]
    constant = np.ma.masked_invalid(np.log(budget) - power).mean(0).filled(np.nan)
    values: dict[str, Value] = {
        "budget_depths": np.array(protocol.depths),
        "budget": budget,
        "budget_above_cap": np.where(late, caps, np.nan),
        "budget_fit": np.where(np.isnan(budget), np.nan, np.exp(constant + power)),
        "budget_not_arrived": float(sum(row["not_arrived"] for row in solvers)),
    }
    if not np.isnan(exponent).all():
        values |= {"budget_exponent": exponent, "budget_interval": np.array(interval).T}
    return values
