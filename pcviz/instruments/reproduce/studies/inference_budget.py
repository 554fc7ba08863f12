"""How the budget of inference grows with depth (theory.md 4.10).

The budget is the first step from which on the excess F - F* is held at 1 % of the initial one, in iterations and in
passes (gradient evaluations). PC-ALM is left out: it descends another function, and its energy goes back up to the
loss.
"""

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pcviz.experiment.looks import Parts
from pcviz.experiment.solvers import SOLVERS as FACTS
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.relaxation.options import ARRIVED
from pcviz.instruments.reproduce.statistics import fit
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SOLVERS = ("gradient_descent", "nesterov", "error_based", "conjugate_gradient", "gauss_newton")


class Reported(NamedTuple):
    """An exponent in the depth L with its 95 % interval."""

    exponent: float
    low: float
    high: float


class Cell(NamedTuple):
    """One network."""

    depth: int
    width: int
    activation: str
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"L={self.depth} N={self.width} {self.activation} seed {self.seed}"


class Protocol(NamedTuple):
    """Networks and limits of one reproduction. All networks: muPC with skips at initialisation, digits, float64.

    `batch`: examples; `share`: of the initial excess energy, to be reached and held; `hold`: for how long it must be
    held, as a share of the steps taken until then, but at least `least_hold` steps. Gradient descent needs most steps
    and cannot go up (its step is 1 / lambda_max): it is watched for `descent_hold` and runs in `descent_dtype`.
    """

    depths: tuple[int, ...] = (8, 16, 32, 64, 128)
    widths: tuple[int, ...] = (32, 64)
    activations: tuple[str, ...] = ("tanh", "relu", "gelu")
    seeds: tuple[int, ...] = (0, 1, 2)
    batch: int = 8
    share: float = ARRIVED
    hold: float = 1.0
    descent_hold: float = 0.1
    least_hold: int = 8
    descent_dtype: str = "float32"

    @property
    def cells(self) -> dict[str, Cell]:
        """The networks by name, shallow ones first: results appear early, with exponents even if the run is stopped."""
        cells = [Cell(*at) for at in product(self.depths, self.widths, self.activations, self.seeds)]
        return {cell.name: cell for cell in cells}

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds. The first of a shape compiles for all its seeds."""
        return {name: cell_seconds(cell, cell.seed == self.seeds[0]) for name, cell in self.cells.items()}


REPORTED: dict[str, Reported] = {
    "condition_number": Reported(2.02, 1.95, 2.10),
    "gradient_descent": Reported(1.92, 1.78, 2.05),
    "nesterov": Reported(1.21, 1.16, 1.27),
}
"""Of theory.md 4.10: relu, width 32, MNIST, steps until test accuracy is 90 to 98 % of backprop's. The quantity differs
from ours (energy at initialisation), the scaling should not."""

OURS = ("error_based", "conjugate_gradient", "gauss_newton")
"""Solvers in error coordinates, for which no exponents are reported."""

PROMISED = 0.6
"""The exponent that the best of them should not exceed."""


def cell_seconds(cell: Cell, compiles: bool) -> float:
    """Seconds that one network adds, half of what it takes: another is measured beside it."""
    return (9.0 if compiles else 0.0) + 0.3 + 1.8 * (cell.depth / 64) ** 2 * (cell.width / 32) ** 1.5


def cap_of(solver: str, depth: int) -> int:
    """Most steps before a solver must have arrived: about twice what is usual."""
    return {
        "gradient_descent": 10 * depth**2 + 500,
        "nesterov": 40 * depth,
        "error_based": 512,
        "conjugate_gradient": 256,
        "gauss_newton": 64,
    }[solver]


def report(found: Cells, protocol: Protocol) -> Report:
    """Medians and exponents of every solver, and the verdict."""
    found = sorted(found, key=lambda cell: (cell["depth"], cell["width"], cell["activation"], cell["seed"]))
    solvers = [summarise(name, found, protocol) for name in SOLVERS]
    condition, at_equilibrium = _condition(found), _at_equilibrium(found)
    lost = max((cell["undercut"] for cell in found), default=0.0)
    how = (
        f"muPC with skips at the start, digits, B={protocol.batch}, float64; N={', '.join(map(str, protocol.widths))}; "
        f"{', '.join(protocol.activations)}; {len(protocol.seeds)} seed(s). A budget counts if held for "
        f"{protocol.hold:.0%} more steps, gradient descent ({protocol.descent_dtype}) for {protocol.descent_hold:.0%}, "
        f"at least {protocol.least_hold}; energies after every step up to 100, then every 2 %. Exponents: one "
        "intercept for each width and activation, without networks that did not arrive within the cap. Farthest that a "
        f"solver went below F*: {lost:.1e} of the initial excess"
    )
    parts = {
        "solvers": solvers,
        "condition_number": condition,
        "alignment_at_equilibrium": at_equilibrium,
        "best_of_ours": best_of_ours(found, protocol),
        "largest_undercut": lost,
    }
    charts = [
        _budgets("iterations", found, solvers, condition, protocol),
        _budgets("passes", found, solvers, None, protocol),
        _exponents(solvers, condition),
        _alignment(solvers, at_equilibrium, protocol),
    ]
    return Report(charts, verdict(found, protocol), how, parts)


def _values(row: dict[str, float | None], protocol: Protocol) -> list[float]:
    found = (row.get(str(depth)) for depth in protocol.depths)
    return [math.nan if value is None else float(value) for value in found]


def _budgets(
    quantity: str, found: Cells, solvers: list[dict[str, Any]], condition: dict[str, Any] | None, protocol: Protocol
) -> Chart:
    """Budgets against depth; above the cap of iterations where the median network did not arrive within it."""
    measured = {cell["depth"] for cell in found}
    curves = []
    for row in solvers:
        middle = _values(row[quantity], protocol)
        caps = [
            float(row["caps"][str(depth)])
            if quantity == "iterations" and depth in measured and math.isnan(value)
            else math.nan
            for depth, value in zip(protocol.depths, middle, strict=True)
        ]
        curves.append(Curve(FACTS[row["solver"]].label, middle, above=caps))
    if condition is not None:
        curves.append(Curve("condition number", _values(condition["by_depth"], protocol)))
    name = {"iterations": "Iterations", "passes": "Gradient evaluations"}[quantity]
    return Chart(
        f"{name} to the equilibrium", "depth L", quantity if condition is None else f"{quantity}, κ", protocol.depths,
        curves,
        f"Medians of the first step from which on the excess energy stays within {protocol.share:.0%} of the initial "
        "one. Triangles: the median network did not arrive within so many.",
        log_x=True, log_y=True,
    )  # fmt: skip


def _exponents(solvers: list[dict[str, Any]], condition: dict[str, Any]) -> Chart:
    rows = [(FACTS[row["solver"]].label, row["exponent_of_iterations"], row["reported"]) for row in solvers]
    rows.append(("condition number", condition["exponent"], condition["reported"]))
    values, lows, highs, reported = [], [], [], []
    for _, own, other in rows:
        low, high = (own and own["interval"]) or (math.nan, math.nan)
        values.append(own["value"] if own else math.nan)
        lows.append(low)
        highs.append(high)
        reported.append(other["exponent"] if other else math.nan)
    return Chart(
        "Exponents in depth", "", "p in iterations = c Lᵖ", [name for name, _, _ in rows],
        [Curve("exponent", values, lows, highs, reference=reported)],
        "By least squares on logarithms, with 95 % intervals. Open circles are reported: steps until test accuracy "
        "nears backprop's (relu, N = 32, MNIST), another quantity whose scaling should be the same.",
        joined=False, reference="reported",
    )  # fmt: skip


def _alignment(solvers: list[dict[str, Any]], at_equilibrium: dict[str, list[float]], protocol: Protocol) -> Chart:
    rows = [(FACTS[row["solver"]].label, row["alignment"]) for row in solvers] + [("equilibrium", at_equilibrium)]
    curves = [
        Curve(label, [(found.get(str(depth)) or [math.nan])[0] for depth in protocol.depths]) for label, found in rows
    ]
    return Chart(
        "Cosine with backprop at the budget", "depth L", "cosine, input-side quartile", protocol.depths, curves,
        "Of the weight gradients of the quarter of the layers that is nearest to the input, medians.", log_x=True,
    )  # fmt: skip


def verdict(found: Cells, protocol: Protocol) -> list[Claim]:
    """The claim with what was measured: `kept` is None while networks are missing, or too few arrived for an
    exponent."""
    best = best_of_ours(found, protocol)
    text = f"of the solvers in error coordinates the best needs steps that grow as L^p, p at most {PROMISED:g}"
    if best is None:
        return [Claim(text, None, None)]
    kept = best["kept"] if len(found) == len(protocol.cells) else None
    return [Claim(text, best["exponent"], kept, best["interval"] and tuple(best["interval"]))]


def _entry(cell: dict[str, Any], solver: str) -> dict[str, Any]:
    return next(entry for entry in cell["solvers"] if entry["solver"] == solver)


def _exponent(points: list[tuple[dict[str, Any], float]]) -> dict[str, Any] | None:
    kinds = [(cell["width"], cell["activation"]) for cell, _ in points]
    found = fit([cell["depth"] for cell, _ in points], [value for _, value in points], kinds)
    return None if found is None else found._asdict()


def _condition(cells: Cells) -> dict[str, Any]:
    points = [(cell, cell["condition_number"]) for cell in cells if cell["condition_number"] is not None]
    by_depth = {str(d): float(np.median([v for c, v in points if c["depth"] == d])) for d in _depths(cells)}
    return {"by_depth": by_depth, "exponent": _exponent(points), "reported": REPORTED["condition_number"]._asdict()}


def _at_equilibrium(cells: Cells) -> dict[str, list[float]]:
    def middle(depth: int) -> list[float]:
        rows = [cell["alignment_at_equilibrium"] for cell in cells if cell["depth"] == depth]
        return [float(value) for value in np.median(rows, axis=0)]

    return {str(depth): middle(depth) for depth in _depths(cells)}


def _depths(cells: Cells) -> list[int]:
    return sorted({cell["depth"] for cell in cells})


def summarise(solver: str, cells: Cells, protocol: Protocol) -> dict[str, Any]:
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


def best_of_ours(cells: Cells, protocol: Protocol) -> dict[str, Any] | None:
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


STUDIES = {
    "inference-budget": Study(
        "Inference budget",
        "how many iterations and gradient evaluations inference needs as networks get deeper",
        "PC-ALM (arXiv 2605.31022) and a depth-scaling study of its code; docs/theory.md 4.10",
        Protocol(),
        Protocol(depths=(8, 16, 32), widths=(32,), activations=("tanh",), seeds=(0,)),
        report,
    )
}
