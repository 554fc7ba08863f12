"""Activity decay (μPC, appendix; theory.md 5.5): the term alpha / 2 |z|² makes inference better conditioned, at the
price of what networks learn."""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, cost, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import NOTHING, claimed, curve_of, within
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "network.width": 64,
    "network.activation": "linear",
    "network.parameterisation": "sp",
    "network.initialisation": "uniform",
    "inference.solver": "gradient_descent",
    "inference.step_size": 0.2,
    "learning.learning_rate": 1e-3,
}
"""What all networks share."""
STRONG, COSTS = 0.5, 2.0
"""A decay of this or more costs so many points of accuracy …"""
EASES = 2.0
"""… and makes the condition number so many times smaller."""
ADDED = 0.27
"""Of the time assumed for a training, what it adds: two are made at a time, and small ones are quicker."""


class Decayed(NamedTuple):
    """One training: whether there are skips, depth, decay, seed."""

    skips: bool
    depth: int
    decay: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{'skips' if self.skips else 'no skips'} L={self.depth} decay {self.decay:g} seed {self.seed}"


class Decays(NamedTuple):
    """Linear networks of standard parameters that learn digits with activity decay."""

    skips: tuple[bool, ...] = (False, True)
    depths: tuple[int, ...] = (3, 5, 9)
    decays: tuple[float, ...] = (0.0, 0.01, 0.05, 0.1, 0.5, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    weight_steps: int = 100
    inference_steps: int = 150

    @property
    def cells(self) -> dict[str, Decayed]:
        """The trainings by name; all of a seed before the next one."""
        cells = [Decayed(k, d, a, s) for s, k, d, a in product(self.seeds, self.skips, self.depths, self.decays)]
        return {cell.name: cell for cell in cells}

    def experiment_of(self, cell: Decayed) -> Experiment:
        """The training of one network."""
        own: dict[str, Any] = {"network.skips": cell.skips, "network.depth": cell.depth, "seed": cell.seed}
        own |= {"inference.activity_decay": cell.decay, "inference.steps": self.inference_steps}
        return from_paths({**SET_UP, **own, "learning.steps": self.weight_steps})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds."""
        return {
            name: ADDED * cost.estimate(self.experiment_of(cell)).seconds
            + (2 * PROGRAM_SECONDS if cell.seed == self.seeds[0] and cell.decay in self.decays[:2] else 0.0)
            for name, cell in self.cells.items()
        }


def report(found: Cells, protocol: Decays) -> Report:
    """Condition numbers and accuracies against the decay, and the verdict."""
    charts = []
    for skips in protocol.skips:
        words = "skips" if skips else "no skips"
        charts += [
            Chart(
                f"Condition number, {words}",
                "activity decay α",
                "κ at the start",
                [f"{decay:g}" for decay in protocol.decays],
                [_curve("condition", skips, depth, found, protocol, log=True) for depth in protocol.depths],
                "Of the activity Hessian, whose eigenvalues all grow by α. Geometric means over seeds.",
                log_y=True,
                joined=False,
            ),
            Chart(
                f"Accuracy, {words}",
                "activity decay α",
                "test accuracy, %",
                [f"{decay:g}" for decay in protocol.decays],
                [_curve("accuracy", skips, depth, found, protocol) for depth in protocol.depths],
                "Means over seeds with 95 % intervals.",
                joined=False,
            ),
        ]
    how = (
        f"digits, linear, standard parameters, N = {SET_UP['network.width']}, {protocol.inference_steps} steps of "
        f"gradient descent on activities, {protocol.weight_steps} steps of Adam; {len(protocol.seeds)} seed(s)"
    )
    return Report(charts, verdict(found, protocol), how)


def _curve(name: str, skips: bool, depth: int, found: Cells, protocol: Decays, *, log: bool = False) -> Curve:
    means = []
    for decay in protocol.decays:
        own = [cell for cell in found if (cell["skips"], cell["depth"], cell["decay"]) == (skips, depth, decay)]
        means.append(mean([cell[name] for cell in own], log=log))
    return curve_of(f"L = {depth}", means)


def verdict(found: Cells, protocol: Decays) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing, or where seeds differ too much."""
    table = {(cell["skips"], cell["depth"], cell["decay"], cell["seed"]): cell for cell in found}
    strong = [decay for decay in protocol.decays if decay >= STRONG]
    claims = []
    for skips in protocol.skips:
        words, deepest = "skips" if skips else "no skips", protocol.depths[-1]
        eased = _least(_compared("condition", (skips, deepest), strong, table, protocol, log=True))
        text = f"{words}, L = {deepest}: decays from {STRONG:g} on make κ {EASES:g} times smaller, or more"
        claims.append(claimed(text, eased, within(eased, least=EASES)))
        lost = _least(_compared("accuracy", (skips, deepest), strong, table, protocol))
        text = f"{words}, L = {deepest}: decays from {STRONG:g} on cost {COSTS:g} points of accuracy or more"
        claims.append(claimed(text, lost, within(lost, least=COSTS)))
    return claims


def _compared(
    name: str,
    place: tuple[bool, int],
    decays: list[float],
    table: dict[Any, Any],
    protocol: Decays,
    *,
    log: bool = False,
) -> list[Mean]:
    """For each decay how much more there is without it: a difference, or a ratio if `log`."""
    found = []
    for decay in decays:
        pairs = [(table.get((*place, 0.0, seed)), table.get((*place, decay, seed))) for seed in protocol.seeds]
        known = [(a[name], b[name]) for a, b in pairs if a is not None and b is not None]
        more = [a / b if log else a - b for a, b in known]
        found.append(mean(more, log=log) if len(more) == len(protocol.seeds) else NOTHING)
    return found


def _least(means: list[Mean]) -> Mean:
    """The least of them, unknown if one is."""
    return NOTHING if any(math.isnan(one.middle) for one in means) else min(means, key=lambda one: one.middle)


STUDIES = {
    "activity-decay": Study(
        "Activity decay",
        "what activity decay does for the conditioning of inference and for what networks learn",
        "μPC (arXiv 2505.13124), appendix",
        Decays(),
        Decays(skips=(False,), depths=(3, 9), decays=(0.0, 0.1, 0.5, 1.0), seeds=(0,)),
        report,
    )
}
