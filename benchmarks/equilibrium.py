"""How long each solver takes to reach equilibrium: `python -m benchmarks.equilibrium [--json] [--quick]`.

For every network all solvers start at the same feedforward point. The lowest energy that any of them finds counts as
the equilibrium; a solver has arrived when its excess over it, as a share of the initial excess, is at most 1 % (0.01
%) at a recorded step and at the two after it. Each solver runs with every step size of a stated grid for a tenth of the
time, then to the end with the one that got lowest; the best run, by passes, counts, and is then timed: the same number
of steps once more, in one compiled call that records nothing. A solver that has not arrived after 60 s is reported as
"> 60 s"; one that ended elsewhere (in a higher minimum, or chattering around kinks) with the excess it got to. Digits,
B = 16, float64; compilation is not counted. The solvers that need no step size go first; the others stop well within
0.01 % of the best energy known by then.

Also: the closed form of a linear network against solving its dense activity Hessian.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.solution import Solution
from benchmarks.solve import plain_step, solve
from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.jobs.device import MAPS_SHARE, forget_programs
from pcviz.numerics.blocktridiagonal import dense
from pcviz.pcn import Network, build, linear
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.stacks import unstack
from pcviz.probes.hessian import hessian_blocks

LIMIT = 60.0
"""Seconds after which a solver counts as not arrived."""
TRIAL = 0.1
"""Share of these seconds for each step size of the grid, before the best one gets all of them."""

TARGETS = {"1 %": 1e-2, "0.01 %": 1e-4}

GRID: dict[str, tuple[float | None, ...]] = {
    "gauss_newton": (None,),
    "conjugate_gradient": (None,),
    "error_based": (0.05, 0.1, 0.2, 0.5, 1.0),
    "nesterov": (None,),
    "gradient_descent": (0.2, 0.3, 0.4),
    "momentum": (0.1, 0.3),
    "adam": (0.003, 0.01, 0.03),
    "gradient_flow": (1.0, 10.0),
}
"""Step sizes tried, per example; None: the solver chooses. For the flow it is the time between steps."""

MOST_STEPS = {"error_based": 4096, "conjugate_gradient": 512, "gauss_newton": 256, "gradient_flow": 65536}
OTHERS_STEPS = 1 << 20


class Case(NamedTuple):
    """A network of the comparison."""

    depth: int
    width: int
    activation: str
    parameterisation: str
    skips: bool

    @property
    def label(self) -> str:
        """As printed."""
        return f"L={self.depth} N={self.width} {self.activation} {self.parameterisation}{' skips' * self.skips}"


FULL = [
    Case(depth, width, activation, parameterisation, skips)
    for depth in (32, 128)
    for width in (32, 128)
    for activation in ("tanh", "relu")
    for parameterisation, skips in (("mupc", True), ("sp", False))
]
QUICK = [Case(128, 32, "tanh", "mupc", True)]
QUICK_SOLVERS = ("gauss_newton", "conjugate_gradient", "error_based", "gradient_descent")


def problem(case: Case, batch: int = 16) -> tuple[Network, jax.Array, jax.Array]:
    """The freshly initialised network and the first digits of the training set."""
    options = case._asdict()
    experiment = Experiment.model_validate({"network": options, "dtype": "float64"})
    data = load(experiment.data, seed=0, dtype="float64")
    x, y = (jnp.asarray(part[:batch]) for part in (data.x_train, data.y_train))
    return build(experiment), x, y


def arrived(solution: Solution, least: float, share: float) -> int | None:
    """The first recorded row from which on, for three rows, the excess is at most `share` of the initial one."""
    energies = solution.energies.sum(1)
    close = energies - least <= share * (energies[0] - least)
    for row in range(len(close)):
        if close[row : row + 3].all():
            return row
    return None


def run(
    name: str, network: Network, x: jax.Array, y: jax.Array, step: float | None, limit: float, enough: float | None
) -> Solution:
    """One recorded relaxation: as many steps as the time allows, or down to the energy `enough`."""
    return solve(
        name,
        network,
        x,
        y,
        step_size=step,
        steps=MOST_STEPS.get(name, OTHERS_STEPS),
        rows=512,
        time_limit=limit,
        stop="gradient" if enough is None else "energy",
        tolerance=1e-9 if enough is None else 0,
        equilibrium_energy=enough,
    )


def runs(
    name: str, network: Network, x: jax.Array, y: jax.Array, limit: float, enough: float | None
) -> list[tuple[float | None, Solution]]:
    """Relaxations with the step sizes of the grid, then one for the whole time with the one that got lowest."""

    def lowest(tried: tuple[float | None, Solution]) -> float:
        energies = tried[1].energies.sum(1)
        return float(np.nanmin(energies)) if np.isfinite(energies).any() else np.inf

    grid = GRID[name]
    first = [(step, run(name, network, x, y, step, limit * (TRIAL if len(grid) > 1 else 1), enough)) for step in grid]
    step, best = min(first, key=lowest)
    if len(grid) == 1 or best.stopped_by != "time":
        return first
    return [*first, (step, run(name, network, x, y, step, limit, enough))]


def timed(name: str, network: Network, x: jax.Array, y: jax.Array, step: float | None, steps: int) -> float:
    """Seconds of that many steps in one call, the best of up to five runs; without compilation."""
    method = solver_of(name)
    chosen = plain_step(name) if step is None else step
    settings = Settings(None if chosen is None else jnp.asarray(chosen, network.dtype))
    best, rounds = np.inf, 5
    while rounds:
        began = time.perf_counter()
        state = method.begin(network, x, y, settings)
        jax.block_until_ready(method.advance(network, x, y, state, 0, steps, settings))
        best = min(best, time.perf_counter() - began)
        rounds = 0 if best > 2 else rounds - 1
    return best


def compare(case: Case, solvers: Sequence[str], limit: float) -> dict[str, Any]:
    """All solvers on one network."""
    forget_programs(MAPS_SHARE)
    network, x, y = problem(case)
    tried: dict[str, list[tuple[float | None, Solution]]] = {}
    least, start, enough = np.inf, np.inf, None
    for name in solvers:
        tried[name] = runs(name, network, x, y, limit, enough)
        energies = [solution.energies.sum(1) for _, solution in tried[name]]
        start, least = float(energies[0][0]), min(least, *(float(np.nanmin(e)) for e in energies))
        if GRID[name] == (None,) and name != "nesterov":
            enough = least + 0.3 * min(TARGETS.values()) * (start - least)
    rows = []
    for name, found_by in tried.items():
        row: dict[str, Any] = {"solver": name, "excess": min(_excess(s, least, start) for _, s in found_by)}
        for label, share in TARGETS.items():
            found = [(step, s, at) for step, s in found_by if (at := arrived(s, least, share)) is not None]
            if not found:
                out_of_time = any(s.stopped_by == "time" for _, s in found_by)
                row[label] = {"arrived": False, "why": f"> {limit:g} s" if out_of_time else "ended elsewhere"}
                continue
            step, solution, at = min(found, key=lambda entry: entry[1].passes[entry[2]])
            row[label] = {
                "arrived": True,
                "step_size": step,
                "steps": int(solution.steps[at]),
                "passes": float(solution.passes[at]),
                "seconds": timed(name, network, x, y, step, int(solution.steps[at])),
            }
        rows.append(row)
    return {"case": case.label, "start": start, "least": least, "solvers": rows}


def _excess(solution: Solution, least: float, start: float) -> float:
    return float((np.nanmin(solution.energies.sum(1)) - least) / (start - least))


def closed_form(depth: int = 32, width: int = 128, batch: int = 64) -> dict[str, float]:
    """Seconds of the closed form and of solving the dense Hessian, linear muPC with skips."""
    network, x, y = problem(Case(depth, width, "linear", "mupc", True), batch)
    jax.block_until_ready(linear.equilibrium(network, x, y))
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        z = jax.block_until_ready(linear.equilibrium(network, x, y)).activities
        seconds.append(time.perf_counter() - began)
    maps = unstack(jax.tree.map(np.asarray, linear.layer_maps(network)))
    dense_seconds = []
    for _ in range(2):
        began = time.perf_counter()
        hessian = dense(hessian_blocks(network, x[:1], y[:1], [layer[:1] for layer in unstack(z)]))[0]
        right = np.zeros((batch, len(hessian)))
        right[:, :width] += np.asarray(x) @ maps[0].T
        right[:, -width:] += np.asarray(y) @ maps[-1]
        solved = np.linalg.solve(hessian, right.T).T
        dense_seconds.append(time.perf_counter() - began)
    found = np.concatenate([layer for stack in z for layer in np.asarray(stack)], -1)
    return {
        "seconds": min(seconds),
        "dense_seconds": min(dense_seconds),
        "ratio": min(dense_seconds) / min(seconds),
        "largest_difference": float(np.abs(solved - found).max()),
    }


def faster(case: dict[str, Any], limit: float, label: str = "1 %") -> float | None:
    """How many times faster the quicker of gauss_newton and error_based is than gradient descent; a lower bound if
    gradient descent ran out of time."""
    rows = {row["solver"]: row[label] for row in case["solvers"]}
    slow = rows["gradient_descent"]
    quick = [rows[name]["seconds"] for name in ("gauss_newton", "error_based") if rows[name]["arrived"]]
    return (slow["seconds"] if slow["arrived"] else limit) / min(quick) if quick else None


def _print(case: dict[str, Any]) -> None:
    print(f"\n{case['case']}: energy {case['start']:.6g} at the start, {case['least']:.8g} at best")
    for row in case["solvers"]:
        cells = [f"{row['solver']:20s}"]
        for label in TARGETS:
            to = row[label]
            if to["arrived"]:
                step = "" if to["step_size"] is None else f" η={to['step_size']:g}"
                cells.append(
                    f"{label}: {to['steps']} steps, {to['passes']:.0f} passes, {1e3 * to['seconds']:.1f} ms{step}"
                )
            else:
                cells.append(f"{label}: {to['why']} (excess {row['excess']:.2g})")
        print("  " + " | ".join(cells), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit status 1 if a promised speed-up is not reached."""
    parser = argparse.ArgumentParser(description="Time and passes of each solver to the equilibrium.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quick", action="store_true", help="one network and four solvers, under two minutes")
    parser.add_argument("--limit", type=float, help=f"seconds for a solver to arrive (default {LIMIT:g}; quick: 15)")
    parser.add_argument("--only", default="", help="only networks whose label contains this text")
    options = parser.parse_args(argv)
    form = closed_form()
    cases, chosen = (QUICK, QUICK_SOLVERS) if options.quick else (FULL, tuple(GRID))
    if not options.json:
        print(f"linear_exact L=32 N=128: {1e3 * form['seconds']:.2f} ms, dense Hessian {form['dense_seconds']:.2f} s")
    document: dict[str, Any] = {"linear_exact": form, "cases": []}
    limit = options.limit or (15.0 if options.quick else LIMIT)
    for case in [case for case in cases if options.only in case.label]:
        found = compare(case, chosen, limit)
        document["cases"].append(found)
        if not options.json:
            _print(found)
    narrow = [found for found in document["cases"] if found["case"] == QUICK[0].label]
    document["speed_up"] = faster(narrow[0], limit) if narrow else None
    kept = form["ratio"] >= 300 and (not narrow or (document["speed_up"] or 0) >= 50)
    document["promises_kept"] = kept
    if options.json:
        print(json.dumps(document))
    else:
        if document["speed_up"]:
            print(f"\nGauss-Newton or ePC over gradient descent: {document['speed_up']:.0f} × (promised 50)")
        print(f"linear_exact over the dense Hessian: {form['ratio']:.0f} × (promised 300)")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
