"""PC-ALM over width and depth (arXiv 2605.31022; theory.md 4.10): where equilibrated predictive coding learns less than
backpropagation, and whether Lagrange multipliers make up for it."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import NOTHING, claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "network.parameterisation": "mupc",
    "network.activation": "relu",
    "network.skips": True,
    "learning.rule": "bp",
    "learning.learning_rate": 0.05,
}
"""What all networks share: muPC has gamma_0 = 1."""
RULES = {"bp": "backprop", "pc": "PC at equilibrium", "pc_alm": "PC-ALM"}
SOLVERS = {"pc": "conjugate_gradient", "pc_alm": "pc_alm"}
"""What infers. Both choose their own step size: with a fixed one, inference fails in narrow networks before learning
does."""
CONJUGATE = 6.5
"""Time of a step of conjugate gradients, in steps of PC-ALM."""
POINTS = 2.0
"""Points by which accuracies may differ: the strictest of the paper's criteria is 98 % of backpropagation's."""
PUBLISHED = {("pc", 32, 4): 90.0, ("pc", 32, 128): 80.0}
"""Accuracies of equilibrated PC in the paper's set-up (MNIST)."""


class Trial(NamedTuple):
    """One training: what learns, width, depth, seed."""

    rule: str
    width: int
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} N={self.width} L={self.depth} seed {self.seed}"


class Grid(NamedTuple):
    """Residual relu networks that learn digits. PC infers by `pc_steps` steps of conjugate gradients, PC-ALM by
    `alm_steps` for each layer."""

    widths: tuple[int, ...] = (16, 32, 64)
    depths: tuple[int, ...] = (4, 16, 64)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    weight_steps: int = 100
    pc_steps: int = 20
    alm_steps: int = 2

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name; all of a seed before the next one, shallow networks first."""
        trials = [Trial(r, n, d, s) for s, d, n, r in product(self.seeds, self.depths, self.widths, RULES)]
        return {trial.name: trial for trial in trials}

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network, by backpropagation."""
        own = {"network.width": trial.width, "network.depth": trial.depth, "seed": trial.seed}
        return from_paths({**SET_UP, **own, "learning.steps": self.weight_steps})

    def inference_steps(self, trial: Trial) -> int:
        """Steps before each weight step."""
        return {"bp": 0, "pc": self.pc_steps, "pc_alm": self.alm_steps * trial.depth}[trial.rule]

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds."""
        return {name: self._seconds(trial) for name, trial in self.cells.items()}

    def _seconds(self, trial: Trial) -> float:
        compiled = PROGRAM_SECONDS if trial.seed == self.seeds[0] else 0.0
        if trial.rule == "bp":
            return 0.1 + compiled
        passes = self.inference_steps(trial) * (CONJUGATE if trial.rule == "pc" else 1)
        return 0.1 + 2 * compiled + self.weight_steps * passes * trial.depth * (3e-6 + 2.9e-9 * trial.width**2)


def report(found: Cells, protocol: Grid) -> Report:
    """Accuracies of all cells, how far they are below backprop's, and the verdict."""
    table = {(cell["rule"], cell["width"], cell["depth"], cell["seed"]): 100 * cell["test_accuracy"] for cell in found}
    charts = [
        Chart(
            f"Accuracy, N = {width}",
            "depth L",
            "test accuracy, %",
            protocol.depths,
            [_accuracies(rule, width, table, protocol) for rule in RULES],
            "Means over seeds with 95 % intervals. Open circles: published for MNIST, which is another task.",
            log_x=True,
        )
        for width in protocol.widths
    ]
    gaps = [
        curve_of(
            f"{RULES[rule]}, N = {width}", [_gap(rule, width, depth, table, protocol) for depth in protocol.depths]
        )
        for rule in SOLVERS
        for width in protocol.widths
    ]
    below = "Differences of networks that began alike: means over seeds with 95 % intervals."
    charts.append(Chart("Behind backprop", "depth L", "points below backprop", protocol.depths, gaps, below, True))
    how = (
        f"digits, relu, skips, μPC, {protocol.weight_steps} steps of Adam at {SET_UP['learning.learning_rate']:g}; PC: "
        f"{protocol.pc_steps} steps of conjugate gradients, PC-ALM: {protocol.alm_steps} L steps; "
        f"{len(protocol.seeds)} seed(s)"
    )
    return Report(charts, verdict(table, protocol), how)


def _accuracies(rule: str, width: int, table: dict[Any, float], protocol: Grid) -> Curve:
    means = [
        mean([table.get((rule, width, depth, seed), math.nan) for seed in protocol.seeds]) for depth in protocol.depths
    ]
    published = [PUBLISHED.get((rule, width, depth), math.nan) for depth in protocol.depths]
    known = published if any(map(math.isfinite, published)) else ()
    return curve_of(RULES[rule], means, reference=known)


def _gap(rule: str, width: int, depth: int, table: dict[Any, float], protocol: Grid) -> Mean:
    """Points below backpropagation of the same start; NaN until all seeds are there."""
    gaps = [
        table.get(("bp", width, depth, seed), math.nan) - table.get((rule, width, depth, seed), math.nan)
        for seed in protocol.seeds
    ]
    return NOTHING if any(map(math.isnan, gaps)) else mean(gaps)


def verdict(table: dict[Any, float], protocol: Grid) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing, or where seeds differ too much."""

    def gaps(rule: str, places: Sequence[tuple[int, int]]) -> list[Mean]:
        return [_gap(rule, width, depth, table, protocol) for width, depth in places]

    everywhere = list(product(protocol.widths, protocol.depths))
    wide = [(width, depth) for width, depth in everywhere if width >= depth]
    deepest = protocol.depths[-1]
    narrow = {width: _gap("pc", width, deepest, table, protocol) for width in protocol.widths if 2 * width <= deepest}
    return [
        _all_near(
            f"{RULES['pc_alm']}: at most {POINTS:g} points below backprop everywhere", gaps("pc_alm", everywhere)
        ),
        _all_near(f"{RULES['pc']}: at most {POINTS:g} points below backprop where N ≥ L", gaps("pc", wide)),
        *(
            claimed(
                f"{RULES['pc']}: {POINTS:g} points or more below backprop at N = {width}, L = {deepest}",
                gap,
                within(gap, least=POINTS),
            )
            for width, gap in narrow.items()
        ),
    ]


def _all_near(text: str, gaps: Sequence[Mean]) -> Claim:
    """That none of the gaps is too wide; the widest is what was measured."""
    if any(math.isnan(gap.middle) for gap in gaps):
        return Claim(text, None, None)
    judged = [within(gap, most=POINTS) for gap in gaps]
    kept = False if False in judged else None if None in judged else True
    return claimed(text, max(gaps, key=lambda gap: gap.middle), kept)


STUDIES = {
    "pc-alm": Study(
        "PC-ALM",
        "where equilibrated PC learns less than backprop over width and depth, and whether PC-ALM does not",
        "PC-ALM (arXiv 2605.31022)",
        Grid(),
        Grid(widths=(16, 64), depths=(4, 32), seeds=(0,), weight_steps=60),
        report,
    )
}
