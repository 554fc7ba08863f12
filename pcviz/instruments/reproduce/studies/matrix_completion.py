"""Matrix completion by deep linear networks from small weights (arXiv 2408.11979, figure S6): backpropagation learns
the matrix stair by stair, one saddle for each rank, and predictive coding passes the saddles quickly."""

import math
from typing import NamedTuple

import numpy as np

from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

RULES = {"bp": "backprop", "pc": "PC at equilibrium"}
SPEED = {"bp": 80_000, "pc": 30_000}
"""Of the most weight steps how many count for a second: two networks learn at a time, and most of them end early."""
EVERY = 20
"""Weight steps between two looks."""
HALF = 0.5
"""The loss, as a share of the first, that tells that a network has left the first saddle."""
TENTH, STAIRS = 0.1, 0.9
"""The loss falls in stairs if this share of the steps, the quickest ones, holds at least so much of its fall."""
QUICKER = 2.0
"""How many times sooner PC leaves the first saddle, at least."""


class Learner(NamedTuple):
    """One network."""

    rule: str
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} seed {self.seed}"


class Completion(NamedTuple):
    """Networks of `hidden` layers of `width` units that learn the observed `share` of the entries of a random matrix,
    `size` × `size`, of a `rank`, from weights of deviation `start`, until 1 % of the loss is left or for as many steps
    as `bp_steps` and `pc_steps` say."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    hidden: int = 3
    width: int = 100
    start: float = 5e-3
    rate: float = 1e-2
    size: int = 10
    rank: int = 3
    share: float = 0.7
    bp_steps: int = 300_000
    pc_steps: int = 40_000

    @property
    def cells(self) -> dict[str, Learner]:
        """The networks by name; both rules of a seed before the next one."""
        learners = [Learner(rule, seed) for seed in self.seeds for rule in RULES]
        return {learner.name: learner for learner in learners}

    def steps(self, rule: str) -> int:
        """Most weight steps."""
        return self.bp_steps if rule == "bp" else self.pc_steps

    @property
    def places(self) -> list[int]:
        """The weight steps at which losses are kept."""
        looks = np.geomspace(1, max(self.bp_steps, self.pc_steps) // EVERY, 60)
        return [EVERY * look for look in sorted({round(look) for look in looks})]

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds."""
        return {
            name: self.steps(learner.rule) / SPEED[learner.rule]
            + (2 * PROGRAM_SECONDS if learner.seed == self.seeds[0] else 0.0)
            for name, learner in self.cells.items()
        }


def report(found: Cells, protocol: Completion) -> Report:
    """Losses and singular values during learning, and the verdict."""
    losses = [_losses(rule, found, protocol) for rule in RULES]
    kept = range(1, protocol.rank + 1)
    first = {cell["rule"]: cell for cell in found if cell["seed"] == protocol.seeds[0]}
    ranks = [
        Curve(
            f"{label}, {number}",
            _filled([row[number - 1] for row in first[rule]["singular"]] if rule in first else [], protocol),
        )
        for rule, label in RULES.items()
        for number in kept
    ]
    charts = [
        Chart(
            "Loss", "weight step", "share of the first loss", protocol.places, losses,
            "Geometric means over seeds with 95 % intervals. Level stretches are saddles.", log_x=True, log_y=True,
        ),
        Chart(
            f"Singular values, seed {protocol.seeds[0]}", "weight step", "singular value", protocol.places, ranks,
            "Of the matrix that the network has learnt. In stairs one comes after the other.", log_x=True,
        ),
    ]  # fmt: skip
    how = (
        f"deep linear networks, H = {protocol.hidden}, N = {protocol.width}, weights of deviation {protocol.start:g}, "
        f"gradient descent at {protocol.rate:g}, F* in closed form; {protocol.share:.0%} of a {protocol.size} × "
        f"{protocol.size} matrix of rank {protocol.rank}; {len(protocol.seeds)} seed(s)"
    )
    return Report(charts, verdict(found, protocol), how)


def _filled(values: list[float], protocol: Completion) -> list[float]:
    return values + [math.nan] * (len(protocol.places) - len(values))


def _losses(rule: str, found: Cells, protocol: Completion) -> Curve:
    """Geometric means as long as all of them learn."""
    rows = [_filled(cell["losses"], protocol) for cell in found if cell["rule"] == rule]
    columns = zip(*rows, strict=True) if rows else [()] * len(protocol.places)
    means = [mean([] if any(map(math.isnan, column)) else column, log=True) for column in columns]
    return curve_of(RULES[rule], means)


def verdict(found: Cells, protocol: Completion) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing, or where seeds differ too much."""
    own = {rule: {cell["seed"]: cell for cell in found if cell["rule"] == rule} for rule in RULES}
    tenth = {rule: _mean([cell["quickest"] for cell in cells.values()], protocol) for rule, cells in own.items()}
    both = [(own["bp"][seed]["halved"], own["pc"][seed]["halved"]) for seed in own["bp"] if seed in own["pc"]]
    # What was not halved in time needs more: the ratio is then too small, or not known.
    ratios = [(slow or protocol.bp_steps) / fast for slow, fast in both if fast is not None]
    sooner = _mean(ratios, protocol, log=True)
    part = f"the quickest tenth of the steps holds {STAIRS:.0%} of the fall"
    return [
        claimed(f"{RULES['bp']} learns in stairs: {part} or more", tenth["bp"], within(tenth["bp"], least=STAIRS)),
        claimed(f"{RULES['pc']} does not: {part} or less", tenth["pc"], within(tenth["pc"], most=STAIRS)),
        claimed(f"PC halves the loss in {QUICKER:g} times fewer steps, or more", sooner, within(sooner, least=QUICKER)),
    ]


def _mean(values: list[float], protocol: Completion, *, log: bool = False) -> Mean:
    """The mean once all seeds are there."""
    return mean(values if len(values) == len(protocol.seeds) else [], log=log)


STUDIES = {
    "matrix-completion": Study(
        "Matrix completion",
        "whether PC passes the saddles on which backprop rests while it completes a matrix",
        "arXiv 2408.11979, figure S6; thesis (arXiv 2510.23323)",
        Completion(),
        Completion(seeds=(0, 1), bp_steps=60_000, pc_steps=10_000),
        report,
    )
}
