"""AdamW and width: the greatest weight rate at which wide networks still learn (PCX paper, section 5 and figure 7).

Published: with AdamW and small activity steps the range of weight rates at which predictive coding is stable shrinks
as networks get wider, unlike that of backpropagation. The greatest rate that works is the last one whose accuracy is
at least WORKS of the best one of that network.
"""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.judging import claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, fit, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "network.depth": 4,
    "network.activation": "leaky_relu",
    "network.parameterisation": "sp",
    "network.skips": False,
    "inference.solver": "gradient_descent",
    "inference.steps": 8,
    "inference.step_size": 0.01,
    "learning.optimiser": "adamw",
    "learning.weight_decay": 1e-4,
}
RULES = {"pc": "PC", "bp": "backprop"}
WORKS = 0.9
SHRINKS, MORE = -0.25, -0.25
"""The greatest rate that works with PC falls at least as this power of the width, and by at least so much more than
that of backpropagation."""


class Trial(NamedTuple):
    """One training: its rule, width, weight rate, seed."""

    rule: str
    width: int
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} N={self.width} rate {self.rate:g} seed {self.seed}"


class Widths(NamedTuple):
    """Networks of all widths and weight rates."""

    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 6e-3, 1e-2, 2e-2, 3e-2, 6e-2, 0.1, 0.3)
    seeds: tuple[int, ...] = (0, 1, 2)
    weight_steps: int = 110

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name, narrow networks first."""
        trials = [
            Trial(rule, width, rate, seed)
            for width, rule, rate, seed in product(self.widths, RULES, self.rates, self.seeds)
        ]
        return {trial.name: trial for trial in trials}

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        own = {"network.width": trial.width, "learning.rule": trial.rule, "learning.learning_rate": trial.rate}
        return from_paths({**SET_UP, **own, "seed": trial.seed, "learning.steps": self.weight_steps})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each width and rule compiles."""
        found: Parts = {}
        for name, trial in self.cells.items():
            first = (trial.rate, trial.seed) == (self.rates[0], self.seeds[0])
            compiles = 2 * PROGRAM_SECONDS if first else 0.0
            found[name] = compiles + PAIRED * cost.estimate(self.experiment_of(trial)).seconds
        return found


def report(found: Cells, protocol: Widths) -> Report:
    """The greatest rates that work, accuracies over rates, and the verdict."""
    edges = []
    for rule in RULES:
        points = [mean([*_edges(found, rule, width, protocol).values()], log=True) for width in protocol.widths]
        edges.append(curve_of(RULES[rule], points))
    charts = [
        Chart(
            "Greatest weight rate that works", "width N", "weight rate", protocol.widths, edges,
            f"The last rate with at least {WORKS:.0%} of the accuracy of the best one. Geometric means over seeds with "
            "95 % intervals.", log_x=True, log_y=True,
        )
    ]  # fmt: skip
    for rule in RULES:
        curves = []
        for width in protocol.widths:
            points = [mean(_accuracies(found, rule, width, rate)) for rate in protocol.rates]
            curves.append(curve_of(f"N = {width}", points))
        charts.append(
            Chart(
                f"Accuracy over the weight rate: {RULES[rule]}", "weight rate", "test accuracy, %", protocol.rates,
                curves, "What diverged counts as guessing, 10 %. Means over seeds with 95 % intervals.", log_x=True,
            )
        )  # fmt: skip
    how = (
        f"digits, L=4, leaky relu, SP, T=8 with activity step {SET_UP['inference.step_size']:g}, AdamW, "
        f"{protocol.weight_steps} steps of 64, {len(protocol.seeds)} seed(s), float32"
    )
    return Report(charts, verdict(found, protocol), how)


def _accuracies(found: Cells, rule: str, width: int, rate: float) -> list[float]:
    rows = [cell for cell in found if (cell["rule"], cell["width"], cell["rate"]) == (rule, width, rate)]
    return [10.0 if cell["diverged"] else 100 * cell["test_accuracy"] for cell in rows]


def _edges(found: Cells, rule: str, width: int, protocol: Widths) -> dict[int, float]:
    """Seed -> the greatest rate that works, of seeds with all rates."""
    edges = {}
    for seed in protocol.seeds:
        own = [cell for cell in found if (cell["rule"], cell["width"], cell["seed"]) == (rule, width, seed)]
        if len(own) == len(protocol.rates):
            seen = {rate: _accuracies(own, rule, width, rate)[0] for rate in protocol.rates}
            edges[seed] = max(rate for rate, value in seen.items() if value >= WORKS * max(seen.values()))
    return edges


def verdict(found: Cells, protocol: Widths) -> list[Claim]:
    """The claims with what was measured: not known where a greatest rate is at the edge of those tried."""
    edges = {rule: {n: _edges(found, rule, n, protocol) for n in protocol.widths} for rule in RULES}
    whole = len(found) == len(protocol.cells)
    tried = protocol.rates[0], protocol.rates[-1]
    interior = all(edge not in tried for row in edges.values() for own in row.values() for edge in own.values())
    pc = _power(edges["pc"]) if whole else mean([])
    more = _apart(edges) if whole else mean([])
    return [
        claimed(
            f"PC: the greatest weight rate that works falls as N^p, p at most {SHRINKS:g}",
            pc, within(pc, most=SHRINKS) if interior else None,
        ),
        claimed(
            f"that of backprop falls less: the exponents differ by at least {-MORE:g}",
            more, within(more, most=MORE) if interior else None,
        ),
    ]  # fmt: skip


def _power(edges: dict[int, dict[int, float]]) -> Mean:
    """The exponent in the width."""
    points = [(width, edge, seed) for width, row in edges.items() for seed, edge in row.items()]
    law = fit(*map(list, zip(*points, strict=True)))
    return mean([]) if law is None else Mean(law.value, *(law.interval or (math.nan, math.nan)))


def _apart(edges: dict[str, dict[int, dict[int, float]]]) -> Mean:
    """The exponent of the rate of PC over that of backpropagation, seed by seed."""
    return _power({n: {seed: row[seed] / edges["bp"][n][seed] for seed in row} for n, row in edges["pc"].items()})


STUDIES = {
    "adamw-width": Study(
        "AdamW and width",
        "whether the weight rates at which networks learn with AdamW shrink with width more than with backprop",
        "Pinchetti et al. 2025 (arXiv 2407.01163), section 5 and figure 7",
        Widths(),
        Widths(widths=(32, 128), rates=(1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3), seeds=(0,)),
        report,
    )
}
