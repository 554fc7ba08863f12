"""Gamma-0: from lazy to rich learning (limits paper, figures A.3 and A.22; theory.md 2.3).

Linear residual networks memorise random data by gradient descent at a rate that is scaled with γ² N, and predictive
coding near its equilibrium. A lazy network keeps its kernel: its loss decays as exponentials do, whose rates never
rise. A rich one has to grow its features first: its loss is a sigmoid. What tells them apart is the time of the first
halving of the loss over that of the second: 1 for one exponential, less for a sum of several, more for a sigmoid.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.judging import claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "data.name": "regression",
    "network.activation": "linear",
    "network.parameterisation": "mupc",
    "network.skips": True,
    "learning.batch_size": 20,
    "learning.optimiser": "sgd",
    "learning.lr_scaling": "width_depth",
    "inference.solver": "error_based",
    "inference.steps": 6,
}
"""What all networks share. Adam would leave the gradient's factor 1/γ uncompensated."""
RULES = {"bp": "BP", "pc": "PC"}
LAZY, RICH, ALIKE = 1.1, 1.25, 0.05
"""The ratio of halvings of lazy networks is at most, of rich ones at least this; losses of PC and backprop differ by at
most that share of the first loss."""
NEAR = 0.8
"""The step of inference times the expected curvature S along the way to the equilibrium."""


class Trial(NamedTuple):
    """One training: its rule, width N, γ₀, seed."""

    rule: str
    width: int
    gamma: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} N={self.width} γ={self.gamma:g} seed {self.seed}"


class Gammas(NamedTuple):
    """Networks of all widths and γ₀, whose losses are seen at `times`."""

    widths: tuple[int, ...] = (64, 256, 1024)
    gammas: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0, 4.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    hidden: int = 3
    rate: float = 0.04
    steps: int = 500

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name, narrow networks first."""
        trials = [
            Trial(rule, width, gamma, seed)
            for width, gamma, seed, rule in product(self.widths, self.gammas, self.seeds, RULES)
        ]
        return {trial.name: trial for trial in trials}

    @property
    def times(self) -> tuple[int, ...]:
        """The weight steps at which losses are seen."""
        return times_of(self.steps)

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        curvature = 1 + (math.e - 1) * (self.hidden + 1) / (trial.gamma**2 * trial.width)  # theory.md 4.3
        own = {"network.width": trial.width, "network.gamma": trial.gamma, "learning.rule": trial.rule}
        size = {"network.depth": self.hidden + 1, "inference.step_size": NEAR / curvature}
        rest = {"learning.learning_rate": self.rate, "learning.steps": self.steps, "seed": trial.seed}
        return from_paths({**SET_UP, **own, **size, **rest})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each width and rule compiles."""
        found: Parts = {}
        for name, trial in self.cells.items():
            weights = (self.hidden - 1) * trial.width**2
            passes = 2 + 2 * SET_UP["inference.steps"] * (trial.rule == "pc")
            first = (trial.gamma, trial.seed) == (self.gammas[0], self.seeds[0])
            found[name] = self.steps * (2e-4 + 1.1e-9 * passes * weights) + (2 * PROGRAM_SECONDS if first else 0.0)
        return found


def times_of(steps: int, count: int = 60) -> tuple[int, ...]:
    """About so many of the weight steps 1 … `steps`, denser at first."""
    return tuple(int(t) for t in np.unique(np.geomspace(1, steps, count).round()))


def time_until(level: float, times: Sequence[int], losses: Sequence[float]) -> float:
    """The weight step at which the loss first falls to a level, between those at which it was seen; infinite if it
    never does."""
    seen = np.asarray(losses, float)
    below = np.flatnonzero(seen <= level)
    if not len(below):
        return math.inf
    at = int(below[0])
    if at == 0:
        return float(times[0])
    high, low = seen[at - 1], seen[at]
    share = (high - level) / (high - low) if math.isfinite(high) else 1.0
    return float(times[at - 1] + share * (times[at] - times[at - 1]))


def halvings(times: Sequence[int], losses: Sequence[float]) -> float:
    """The time of the first halving of the loss over that of the second, at most: what was not reached is taken to be
    reached at the end. NaN if even the first was not."""
    first, second = (time_until(losses[0] * share, times, losses) for share in (0.5, 0.25))
    if math.isinf(first):
        return math.nan
    return first / max(min(second, times[-1]) - first, 1e-9)


def report(found: Cells, protocol: Gammas) -> Report:
    """Loss curves, the ratio of halvings, the distance of PC from backpropagation, and the verdict."""
    widest, times = protocol.widths[-1], protocol.times
    curves = []
    for gamma, rule in product(protocol.gammas, RULES):
        own = [cell["losses"] for cell in _of(found, rule, widest, gamma)]
        points = [mean(list(seen)) for seen in zip(*own, strict=True)] if own else [mean([])] * len(times)
        curves.append(curve_of(f"γ₀ = {gamma:g}, {RULES[rule]}", points))
    shapes, distances = [], []
    for rule in RULES:
        points = [_halvings(found, rule, widest, gamma, protocol) for gamma in protocol.gammas]
        shapes.append(curve_of(RULES[rule], points))
    for width in protocol.widths:
        points = [_distance(found, width, gamma) for gamma in protocol.gammas]
        distances.append(curve_of(f"N = {width}", points))
    charts = [
        Chart(
            f"Loss from lazy to rich, N = {widest}", "weight step", "training loss", times, curves,
            "Means over seeds with 95 % intervals. Small γ₀: exponential decay; large γ₀: a sigmoid. The wide limit: "
            "PC lies over BP.", log_x=True,
        ),
        Chart(
            f"First halving over second, N = {widest}", "γ₀", "ratio of times", protocol.gammas, shapes,
            "The steps until the loss is half of the first one, over those from there to a quarter. One exponential: "
            "1; a sigmoid: more.", log_x=True,
        ),
        Chart(
            "Distance of PC from backprop", "γ₀", "greatest difference of losses over the first loss",
            protocol.gammas, distances,
            "Theory: the equilibrium slows learning by 1 + O(L / (γ₀² N)), so that PC is farthest at small γ₀ and "
            "small N.", log_x=True, log_y=True,
        ),
    ]  # fmt: skip
    how = (
        f"random regression, linear, skips, H={protocol.hidden}, full batch, gradient descent at {protocol.rate:g} γ₀² "
        f"N, {protocol.steps} steps; PC: {SET_UP['inference.steps']} error-based steps near 1/S; {len(protocol.seeds)} "
        "seed(s), float32"
    )
    return Report(charts, verdict(found, protocol), how)


def _of(found: Cells, rule: str, width: int, gamma: float) -> Cells:
    return [cell for cell in found if (cell["rule"], cell["width"], cell["gamma"]) == (rule, width, gamma)]


def _halvings(found: Cells, rule: str, width: int, gamma: float, protocol: Gammas) -> Mean:
    return mean([halvings(protocol.times, cell["losses"]) for cell in _of(found, rule, width, gamma)], log=True)


def _distance(found: Cells, width: int, gamma: float) -> Mean:
    """The greatest difference between the losses of PC and backpropagation, over the first loss, seed by seed."""
    rows = {rule: {cell["seed"]: cell["losses"] for cell in _of(found, rule, width, gamma)} for rule in RULES}
    both = rows["bp"].keys() & rows["pc"].keys()
    pairs = [(np.asarray(rows["bp"][seed]), np.asarray(rows["pc"][seed])) for seed in sorted(both)]
    with np.errstate(invalid="ignore"):
        apart = [np.abs(bp - pc).max() / bp[0] for bp, pc in pairs]
    return mean([math.inf if math.isnan(each) else float(each) for each in apart])


def verdict(found: Cells, protocol: Gammas) -> list[Claim]:
    """The claims with what was measured."""
    widest, whole = protocol.widths[-1], len(found) == len(protocol.cells)
    unknown = mean([])
    claims = []
    for gamma, words, limit in (
        (protocol.gammas[0], f"lazy: the first halving of the loss takes at most {LAZY:g} times", {"most": LAZY}),
        (protocol.gammas[-1], f"rich: the first halving of the loss takes at least {RICH:g} times", {"least": RICH}),
    ):
        seen = _halvings(found, "pc", widest, gamma, protocol) if whole else unknown
        text = f"PC at γ₀ = {gamma:g} is {words} as long as the second"
        claims.append(claimed(text, seen, within(seen, **limit)))
    apart = [_distance(found, widest, gamma) for gamma in protocol.gammas] if whole else [unknown]
    worst = max(apart, key=lambda each: each.middle)
    text = f"N = {widest}: at every γ₀ PC lies over backprop: losses differ by at most {ALIKE:.0%} of the first one"
    claims.append(claimed(text, worst, within(worst, most=ALIKE)))
    return claims


STUDIES = {
    "gamma0": Study(
        "From lazy to rich",
        "how learning goes from lazy to rich with γ₀, and whether predictive coding follows backpropagation there",
        "the limits paper (arXiv 2602.07697), figures A.3 and A.22",
        Gammas(),
        Gammas(widths=(64, 256), gammas=(0.1, 1.0, 4.0), seeds=(0,)),
        report,
    )
}
