"""Saddle to saddle: how long narrow networks stay on plateaus (limits paper, figures A.4 and A.23; theory.md 4.7).

Near the origin the loss of a deep linear network is flat to high order, and gradient descent rests there, while the
energy at the equilibrium of inference is curved. Published: narrow networks stay on plateaus, and predictive coding
leaves them much sooner, the more so the deeper they are.
"""

import math
from itertools import product
from typing import NamedTuple

import numpy as np

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.studies.gamma0 import RULES, time_until, times_of
from pcviz.instruments.reproduce.studies.gamma0 import SET_UP as LINEAR
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

LEFT = 0.25
"""A network has left the plateau when its loss is this: half of that of an output of zero."""
SOONER = 2.0
"""In the deepest networks backpropagation stays at least so many times as long as PC."""


class Trial(NamedTuple):
    """One training: its rule, hidden layers H, width N, seed."""

    rule: str
    hidden: int
    width: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} H={self.hidden} N={self.width} seed {self.seed}"


class Saddles(NamedTuple):
    """Narrow networks of all depths and widths, trained for `steps`, and of the least and the greatest depth a `wide`
    one of the first seed, for `wide_steps`, in which it has left."""

    hidden: tuple[int, ...] = (1, 3, 5, 7)
    widths: tuple[int, ...] = (1, 4, 8)
    seeds: tuple[int, ...] = tuple(range(8))
    wide: int = 2048
    rate: float = 0.1
    steps: int = 1000
    wide_steps: int = 150

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name, shallow networks first."""
        trials = []
        for hidden in self.hidden:
            sizes = [*product(self.widths, self.seeds)]
            if hidden in (self.hidden[0], self.hidden[-1]):  # whose courses are drawn
                sizes.append((self.wide, self.seeds[0]))
            trials += [Trial(rule, hidden, width, seed) for (width, seed), rule in product(sizes, RULES)]
        return {trial.name: trial for trial in trials}

    @property
    def times(self) -> tuple[int, ...]:
        """The weight steps at which losses are seen."""
        return times_of(self.steps)

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        own = {"network.depth": trial.hidden + 1, "network.width": trial.width, "network.skips": False}
        rest = {"learning.learning_rate": self.rate, "learning.steps": self._steps(trial), "learning.rule": trial.rule}
        return from_paths({**LINEAR, **own, **rest, "seed": trial.seed, "dtype": "float64"})

    def _steps(self, trial: Trial) -> int:
        return self.wide_steps if trial.width not in self.widths else self.steps

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each shape compiles."""
        found: Parts = {}
        for name, trial in self.cells.items():
            passes = 1 if trial.rule == "bp" else 2  # the equilibrium takes as long
            each = 2e-4 + 1.5e-8 * passes * (trial.hidden - 1) * trial.width**2
            first = trial.seed == self.seeds[0]
            found[name] = self._steps(trial) * each + (2 * PROGRAM_SECONDS if first else 0.0)
        return found


def report(found: Cells, protocol: Saddles) -> Report:
    """Loss curves, the steps on plateaus, how much sooner PC leaves, and the verdict."""
    charts = []
    for hidden in (protocol.hidden[0], protocol.hidden[-1]):
        curves = [
            Curve(f"N = {width}, {RULES[rule]}", _course(found, rule, hidden, width, protocol))
            for width, rule in product((*protocol.widths, protocol.wide), RULES)
        ]
        title, text = (
            f"Loss, H = {hidden}",
            "Medians over seeds. Flat stretches are plateaus. The widest network stands for the limit, and is trained "
            f"for {protocol.wide_steps} steps.",
        )
        charts.append(Chart(title, "weight step", "training loss", protocol.times, curves, text, log_x=True))
    stays, ratios = [], []
    for width, rule in product(protocol.widths, RULES):
        rows = [_stays(found, rule, hidden, width, protocol) for hidden in protocol.hidden]
        known = [mean([value for value in row.values() if math.isfinite(value)], log=True) for row in rows]
        above = [
            float(protocol.steps) if row and not all(map(math.isfinite, row.values())) else math.nan for row in rows
        ]
        stays.append(curve_of(f"N = {width}, {RULES[rule]}", known, above=above))
    for width in protocol.widths:
        points = [mean([*_ratios(found, hidden, width, protocol).values()], log=True) for hidden in protocol.hidden]
        ratios.append(curve_of(f"N = {width}", points))
    charts += [
        Chart(
            "Steps until a plateau is left", "hidden layers H", "weight steps", protocol.hidden, stays,
            f"Until the loss is {LEFT:g}; geometric means over the seeds that left. Arrows: others had not when "
            "training ended.", log_y=True,
        ),
        Chart(
            "How much sooner PC leaves", "hidden layers H", "steps of BP over those of PC", protocol.hidden, ratios,
            "Geometric means over seeds. A network of BP that never left counts as leaving at the end, so that the "
            "true ratio is larger.", log_y=True,
        ),
    ]  # fmt: skip
    how = (
        f"random regression, linear μPC without skips, full batch, gradient descent at {protocol.rate:g} N, "
        f"{protocol.steps} steps; PC: the exact equilibrium; {len(protocol.seeds)} seed(s), float64; "
        f"N={protocol.wide}: one seed, {protocol.wide_steps} steps"
    )
    return Report(charts, verdict(found, protocol), how)


def _rows(found: Cells, rule: str, hidden: int, width: int) -> Cells:
    return [cell for cell in found if (cell["rule"], cell["hidden"], cell["width"]) == (rule, hidden, width)]


def _course(found: Cells, rule: str, hidden: int, width: int, protocol: Saddles) -> list[float]:
    rows = [cell["losses"] for cell in _rows(found, rule, hidden, width)]
    return np.median(rows, axis=0).tolist() if rows else [math.nan] * len(protocol.times)


def _stays(found: Cells, rule: str, hidden: int, width: int, protocol: Saddles) -> dict[int, float]:
    """Seed -> the weight step at which the plateau was left; infinite if it was not."""
    rows = _rows(found, rule, hidden, width)
    return {cell["seed"]: time_until(LEFT, protocol.times, cell["losses"]) for cell in rows}


def _ratios(found: Cells, hidden: int, width: int, protocol: Saddles) -> dict[int, float]:
    """Seed -> steps of backpropagation over those of PC, at least; where PC itself did not leave it is not known."""
    bp, pc = (_stays(found, rule, hidden, width, protocol) for rule in RULES)
    left = [seed for seed in bp if math.isfinite(pc.get(seed, math.inf))]
    return {seed: min(bp[seed], protocol.steps) / pc[seed] for seed in left}


def verdict(found: Cells, protocol: Saddles) -> list[Claim]:
    """The claims with what was measured: seeds and widths are the sample."""
    whole, deepest = len(found) == len(protocol.cells), protocol.hidden[-1]
    by_depth = {h: {n: _ratios(found, h, n, protocol) for n in protocol.widths} for h in protocol.hidden}
    deep = [ratio for row in by_depth[deepest].values() for ratio in row.values()]
    sooner = mean(deep if whole else [], log=True)
    growth = mean(_growths(by_depth, protocol) if whole else [])
    narrow = ", ".join(map(str, protocol.widths))
    return [
        claimed(
            f"narrow networks (N = {narrow}) of H = {deepest}: PC leaves the plateau at least {SOONER:g} times sooner "
            "than backprop", sooner, within(sooner, least=SOONER),
        ),
        claimed(
            "the gap grows with depth: decades of the ratio for each hidden layer are above 0",
            growth, _positive(growth),
        ),
    ]  # fmt: skip


def _growths(by_depth: dict[int, dict[int, dict[int, float]]], protocol: Saddles) -> list[float]:
    """For each width and seed the slope of log10 of the ratio against H."""
    slopes = []
    for width, seed in product(protocol.widths, protocol.seeds):
        points = [(h, math.log10(row[width][seed])) for h, row in by_depth.items() if seed in row[width]]
        if len(points) > 1:
            slopes.append(float(np.polyfit([h for h, _ in points], [r for _, r in points], 1)[0]))
    return slopes


def _positive(seen: Mean) -> bool | None:
    """Whether it is above 0 by more than its interval; None where 0 is in it, or there is none."""
    if math.isnan(seen.low) or seen.low <= 0 <= seen.high:
        return None
    return seen.low > 0


STUDIES = {
    "saddle-to-saddle": Study(
        "Saddle to saddle",
        "how long narrow linear networks stay on plateaus with predictive coding and with backpropagation",
        "the limits paper (arXiv 2602.07697), figures A.4 and A.23",
        Saddles(),
        Saddles(hidden=(1, 3, 5), widths=(1, 4), seeds=(0, 1, 2), wide=128),
        report,
    )
}
