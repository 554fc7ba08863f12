"""Initialisation: which initial weights let a deep network learn by predictive coding (μPC, figures 1 and 5), and
whether the conditioning of inference decides it."""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.judging import NOTHING, claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.studies.start import KINDS
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study
from pcviz.instruments.sweep.grid import NEAR

SET_UP: dict[str, Any] = {
    "network.width": 32,
    "network.activation": "tanh",
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
    "inference.step_size": 0.1,
}
"""What all networks share."""
DEEP = "mupc_skips"
"""The start that is made for depth."""
SHALLOW = ("lecun_skips", "lecun", "uniform_skips", "uniform", "orthogonal")
"""Those of standard parameters."""
KEEPS, LOSES = 5.0, 10.0
"""Points of accuracy that the one loses at most, and each of the others at least, from the least to the greatest
depth."""


class Begun(NamedTuple):
    """One training: kind of start, depth, weight rate, seed."""

    kind: str
    depth: int
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.kind} L={self.depth} rate {self.rate:g} seed {self.seed}"


class Begins(NamedTuple):
    """Networks that learn digits from each kind of start, at `rates` times the usual one of its parameters."""

    depths: tuple[int, ...] = (4, 16, 64)
    kinds: tuple[str, ...] = tuple(KINDS)
    rates: tuple[float, ...] = (0.1, 0.32, 1.0, 3.2, 10.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    weight_steps: int = 100

    @property
    def cells(self) -> dict[str, Begun]:
        """The trainings by name; all of a seed before the next one, shallow networks first."""
        cells = [Begun(k, d, r, s) for s, d, k, r in product(self.seeds, self.depths, self.kinds, self.rates)]
        return {cell.name: cell for cell in cells}

    def experiment_of(self, cell: Begun) -> Experiment:
        """The training of one network."""
        own = {"network.depth": cell.depth, "seed": cell.seed, "learning.steps": self.weight_steps}
        made = from_paths({**SET_UP, **KINDS[cell.kind].changes, **own})
        return made.changed({"learning.learning_rate": float(f"{cell.rate * made.learning_rates[0]:.6g}")})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; a program for networks with and one for those without skips."""
        usual = {depth: cost.estimate(self.experiment_of(Begun(DEEP, depth, 1.0, 0))).seconds for depth in self.depths}
        first = len(self.kinds) * len(self.rates)
        return {
            name: PAIRED * usual[cell.depth] + (4 * PROGRAM_SECONDS / first if cell.seed == self.seeds[0] else 0.0)
            for name, cell in self.cells.items()
        }


def report(found: Cells, protocol: Begins) -> Report:
    """Accuracies at the best rate and condition numbers, against depth; the verdict."""
    table = {(cell["kind"], cell["depth"], cell["rate"], cell["seed"]): cell for cell in found}
    accuracies = [
        curve_of(KINDS[kind].label, [_best(kind, depth, table, protocol)[0] for depth in protocol.depths])
        for kind in protocol.kinds
    ]
    conditions = [
        curve_of(KINDS[kind].label, [_condition(kind, depth, found) for depth in protocol.depths])
        for kind in protocol.kinds
    ]
    charts = [
        Chart(
            "Accuracy", "depth L", "test accuracy, %", protocol.depths, accuracies,
            "At the best weight rate of each start and depth: means over seeds with 95 % intervals.", log_x=True,
        ),
        Chart(
            "Condition number of inference", "depth L", "κ at the start", protocol.depths, conditions,
            "Geometric means over seeds. A low κ does not mean that a network learns.", log_x=True, log_y=True,
        ),
    ]  # fmt: skip
    how = (
        f"digits, tanh, N = {SET_UP['network.width']}, gradient descent on activities with T = H, "
        f"{protocol.weight_steps} steps of Adam; best of {len(protocol.rates)} rates, {len(protocol.seeds)} seed(s)"
    )
    return Report(charts, verdict(found, protocol), how)


def _accuracies(kind: str, depth: int, rate: float, table: dict[Any, Any], protocol: Begins) -> list[float]:
    """Of all seeds in order, NaN where it is missing."""
    cells = [table.get((kind, depth, rate, seed)) for seed in protocol.seeds]
    return [math.nan if cell is None else cell["accuracy"] for cell in cells]


def _best(kind: str, depth: int, table: dict[Any, Any], protocol: Begins) -> tuple[Mean, float | None]:
    """The accuracy at the best rate, and this rate; nothing until all are known."""
    rows = {rate: _accuracies(kind, depth, rate, table, protocol) for rate in protocol.rates}
    if any(math.isnan(value) for row in rows.values() for value in row):
        return NOTHING, None
    means = {rate: mean(row) for rate, row in rows.items()}
    rate = max(means, key=lambda rate: means[rate].middle)
    return means[rate], rate


def _condition(kind: str, depth: int, found: Cells) -> Mean:
    seen = {cell["seed"]: cell["condition"] for cell in found if (cell["kind"], cell["depth"]) == (kind, depth)}
    return mean([*seen.values()], log=True)


def verdict(found: Cells, protocol: Begins) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing, where seeds differ too much, or
    where a best rate is at an end of those tried."""
    table = {(cell["kind"], cell["depth"], cell["rate"], cell["seed"]): cell for cell in found}
    ends = protocol.depths[0], protocol.depths[-1]
    over = f"from L = {ends[0]} to {ends[1]}"
    claims = []
    for kind in (DEEP, *(kind for kind in SHALLOW if kind in protocol.kinds)):
        lost, interior = _lost(kind, ends, table, protocol)
        most = kind == DEEP
        limit, words = (KEEPS, "or less") if most else (LOSES, "or more")
        kept = within(lost, most=limit) if most else within(lost, least=limit)
        text = f"{KINDS[kind].label}: loses {limit:g} points {words} {over}"
        claims.append(claimed(text, lost, kept if interior else None))
    return [*claims, _claim_of_conditioning(found, table, protocol)]


def _lost(kind: str, ends: tuple[int, int], table: dict[Any, Any], protocol: Begins) -> tuple[Mean, bool]:
    """Points of accuracy that depth costs, and whether good rates are interior at both ends."""
    rates = [_best(kind, depth, table, protocol)[1] for depth in ends]
    if rates[0] is None or rates[1] is None:
        return NOTHING, False
    shallow, deep = (
        _accuracies(kind, depth, rate, table, protocol) for depth, rate in zip(ends, rates, strict=True) if rate
    )
    interior = all(_is_interior(kind, depth, table, protocol) for depth in ends)
    return mean([a - b for a, b in zip(shallow, deep, strict=True)]), interior


def _is_interior(kind: str, depth: int, table: dict[Any, Any], protocol: Begins) -> bool:
    """Whether a rate that is not at an end of those tried is as good as the best one."""
    means = [mean(_accuracies(kind, depth, rate, table, protocol)).middle for rate in protocol.rates]
    return max(means[1:-1]) >= (1 - NEAR) * max(means)


def _claim_of_conditioning(found: Cells, table: dict[Any, Any], protocol: Begins) -> Claim:
    """That the best conditioned start is far behind the most accurate one where networks are deepest."""
    deepest = protocol.depths[-1]
    text = f"L = {deepest}: the start with the least κ is {LOSES:g} points or more behind the most accurate one"
    seen = {kind: _best(kind, deepest, table, protocol) for kind in protocol.kinds}
    if any(rate is None for _, rate in seen.values()):
        return Claim(text, None, None)
    eased = min(protocol.kinds, key=lambda kind: _condition(kind, deepest, found).middle)
    best = max(protocol.kinds, key=lambda kind: seen[kind][0].middle)
    high, low = (_accuracies(kind, deepest, seen[kind][1] or 0.0, table, protocol) for kind in (best, eased))
    behind = mean([a - b for a, b in zip(high, low, strict=True)])
    return claimed(text, behind, within(behind, least=LOSES))


STUDIES = {
    "initialisation": Study(
        "Initialisation",
        "which initial weights let deep networks learn, and whether conditioning decides it",
        "μPC (arXiv 2505.13124), figures 1 and 5",
        Begins(),
        Begins(
            depths=(4, 32),
            kinds=("mupc_skips", "lecun_skips", "uniform", "orthogonal"),
            rates=(0.32, 1.0, 3.2),
            seeds=(0,),
        ),
        report,
    )
}
