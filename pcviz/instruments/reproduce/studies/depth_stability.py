"""Depth stability: which networks still train when they get deep, and how far errors reach in them (muPC paper, figures
1, 3 and A.22 to A.28; theory.md 2.2 and 4.4).

μPC and backpropagation have one weight rate for all depths; standard parameters have the best of several at each depth,
by the very accuracy that is compared, which favours them.
"""

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
    "network.activation": "relu",
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
    "inference.step_size": 0.16,
}
"""What all networks share: jpc's best activity step is 10 for batches of 64."""
CLOSE, LOST, GROWS = 2.0, 10.0, 2.0
"""Points that μPC may lose at any depth, points that SP with skips loses at least at the greatest one, and the factor
by which the condition number of μPC grows at least."""


class Kind(NamedTuple):
    """A way to train: label, how its experiment differs, the weight rates among which its best one is looked for, and
    accuracies published at H = 8, 16, 32, 64, in %."""

    label: str
    changes: dict[str, Any]
    rates: tuple[float, ...]
    published: tuple[float, ...] = ()


_MUPC = {"network.parameterisation": "mupc", "network.skips": True}
_ORTHOGONAL = {"network.parameterisation": "sp", "network.initialisation": "orthogonal", "network.skips": False}
_RATES = (1e-4, 1e-3, 1e-2, 1e-1)
KINDS: dict[str, Kind] = {
    "mupc": Kind("μPC", _MUPC, (0.1,), (97, 97, 97, 97)),
    "bp": Kind("backprop, μP", {**_MUPC, "learning.rule": "bp"}, (0.1,), (97, 97, 97, 97)),
    "sp": Kind(
        "PC, SP with skips", {"network.parameterisation": "sp", "network.skips": True}, _RATES, (82, 82, 67, 10)
    ),
    "orthogonal": Kind("PC, orthogonal, tanh", {**_ORTHOGONAL, "network.activation": "tanh"}, _RATES),
}
"""Name -> facts, in reading order. Orthogonal maps keep signals of tanh, not of relu, which halves them."""
PUBLISHED_DEPTHS = (8, 16, 32, 64)
MEASURED = 0.35
"""Seconds that a training adds, over those estimated of one alone: two are made at a time."""


class Trial(NamedTuple):
    """One training: its kind, hidden layers H, weight rate, seed."""

    kind: str
    hidden: int
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.kind} H={self.hidden} rate {self.rate:g} seed {self.seed}"


class DepthStability(NamedTuple):
    """Networks of `hidden` layers, and of `deep` ones where the rate is known, seen after these numbers of weight steps
    (`times`, ascending)."""

    hidden: tuple[int, ...] = (8, 16, 32, 64)
    deep: tuple[int, ...] = (128, 511)
    seeds: tuple[int, ...] = (0, 1, 2)
    width: int = 64
    times: tuple[int, ...] = (0, 10, 30, 100, 200, 300)
    kinds: tuple[str, ...] = tuple(KINDS)

    @property
    def depths(self) -> tuple[int, ...]:
        """All numbers of hidden layers."""
        return (*self.hidden, *self.deep)

    @property
    def networks(self) -> list[tuple[str, int]]:
        """Kind and hidden layers of all networks, shallow ones first."""
        deep = [(kind, hidden) for hidden, kind in product(self.deep, self.kinds) if len(KINDS[kind].rates) == 1]
        return [(kind, hidden) for hidden, kind in product(self.hidden, self.kinds)] + deep

    @property
    def cells(self) -> dict[str, Trial]:
        """The trainings by name, shallow networks first."""
        trials = [
            Trial(kind, hidden, rate, seed)
            for kind, hidden in self.networks
            for rate, seed in product(KINDS[kind].rates, self.seeds)
        ]
        return {trial.name: trial for trial in trials}

    def experiment_of(self, trial: Trial) -> Experiment:
        """The training of one network."""
        own = {"network.depth": trial.hidden + 1, "network.width": self.width, "seed": trial.seed}
        rest = {"learning.learning_rate": trial.rate, "learning.steps": self.times[-1]}
        return from_paths({**SET_UP, **KINDS[trial.kind].changes, **own, **rest})

    @property
    def parts(self) -> Parts:
        """Seconds that each training adds; the first of each kind and depth compiles."""
        found: Parts = {}
        for name, trial in self.cells.items():
            first = trial.seed == self.seeds[0] and trial.rate == KINDS[trial.kind].rates[0]
            compiles = 3 * PROGRAM_SECONDS if first else 0.0
            found[name] = compiles + MEASURED * cost.estimate(self.experiment_of(trial)).seconds
        return found


def report(found: Cells, protocol: DepthStability) -> Report:
    """Accuracy, reach of errors and condition numbers over depth and during training, and the verdict."""
    best = {(k, h): best_rate(k, h, found, protocol) for k, h in protocol.networks}

    def seen(kind: str, hidden: int, what: str, time: int, log: bool = False) -> Mean:
        return mean(_of(found, kind, hidden, best.get((kind, hidden)), what, time, protocol), log=log)

    last, deepest = protocol.times[-1], protocol.hidden[-1]

    def over_depth(kind: str, what: str, *, reference: bool = False) -> Curve:
        points = [seen(kind, hidden, what, last) for hidden in protocol.depths]
        known = dict(zip(PUBLISHED_DEPTHS, KINDS[kind].published, strict=False)) if reference else {}
        published = [float(known[hidden]) if hidden in known else math.nan for hidden in protocol.depths]
        return curve_of(KINDS[kind].label, points, reference=published if known else ())

    def over_time(label: str, kind: str, hidden: int, what: str, log: bool = False) -> Curve:
        points = [seen(kind, hidden, what, time, log) for time in protocol.times]
        return curve_of(label, points)

    relaxing = [kind for kind in protocol.kinds if kind != "bp"]
    charts = [
        Chart(
            "Accuracy over depth", "hidden layers H", "test accuracy, %", protocol.depths,
            [over_depth(kind, "accuracy", reference=True) for kind in protocol.kinds],
            f"After {last} weight steps, at the best weight rate; means over seeds with 95 % intervals. "
            "Published: 900 steps on MNIST, 512 units.", log_x=True,
        ),
        Chart(
            f"Accuracy during training, H = {deepest}", "weight step", "test accuracy, %", protocol.times,
            [over_time(KINDS[kind].label, kind, deepest, "accuracy") for kind in protocol.kinds],
            "At 10 % nothing is learned.",
        ),
        Chart(
            "Accuracy of μPC during training", "weight step", "test accuracy, %", protocol.times,
            [over_time(f"H = {hidden}", "mupc", hidden, "accuracy") for hidden in protocol.depths],
            "What is stable in depth has one curve for all depths.",
        ),
        Chart(
            "Layers that receive a signal", "hidden layers H", "share of layers, %", protocol.depths,
            [over_depth(kind, "signal") for kind in protocol.kinds],
            "In the last weight step: layers whose error is above rounding. The others do not learn; with data as easy "
            "as digits a network can do without them.", log_x=True,
        ),
        Chart(
            f"Condition number during training, H = {deepest}", "weight step", "κ", protocol.times,
            [over_time(KINDS[kind].label, kind, deepest, "condition", True) for kind in relaxing],
            "Of the activity Hessian at the feedforward pass: the larger, the more steps inference needs.", log_y=True,
        ),
    ]  # fmt: skip
    facts = "digits, relu, gradient descent on activities with T = H and step 0.16, Adam, batches of 64"
    how = f"N={protocol.width}, {facts}, {last} weight steps, {len(protocol.seeds)} seed(s), float32"
    rates = [{"kind": kind, "hidden": hidden, "rate": rate} for (kind, hidden), rate in best.items()]
    return Report(charts, verdict(found, best, protocol), how, {"best_rates": rates})


def best_rate(kind: str, hidden: int, found: Cells, protocol: DepthStability) -> float | None:
    """The weight rate with the best mean accuracy at the end; None before all were tried."""
    rates, last = KINDS[kind].rates, protocol.times[-1]
    rows = [_of(found, kind, hidden, rate, "accuracy", last, protocol) for rate in rates]
    if any(len(row) < len(protocol.seeds) for row in rows):
        return None
    means = [mean(row).middle for row in rows]
    return rates[means.index(max(means))]


def _of(
    found: Cells, kind: str, hidden: int, rate: float | None, what: str, time: int, protocol: DepthStability
) -> list[float]:
    """One value for each seed that was measured."""
    at = protocol.times.index(time)
    wanted = kind, hidden, rate
    return [cell[what][at] for cell in found if (cell["kind"], cell["hidden"], cell["rate"]) == wanted]


def verdict(found: Cells, best: dict[tuple[str, int], float | None], protocol: DepthStability) -> list[Claim]:
    """The claims with what was measured."""
    last, deepest = protocol.times[-1], protocol.hidden[-1]

    def seen(kind: str, hidden: int, what: str = "accuracy", time: int = last) -> list[float]:
        return _of(found, kind, hidden, best[kind, hidden], what, time, protocol)

    whole = all(best[kind, hidden] is not None for kind, hidden in product(protocol.kinds, protocol.hidden))
    depths = protocol.hidden if whole else ()
    worst = _worst([_difference(seen("bp", deepest), seen("mupc", hidden)) for hidden in depths])
    rates = KINDS["sp"].rates
    interior = whole and best["sp", deepest] not in (rates[0], rates[-1])
    lost = _difference(seen("mupc", deepest), seen("sp", deepest)) if whole else NOTHING
    growths = []
    for hidden in depths:
        starts, *later = (seen("mupc", hidden, "condition", time) for time in protocol.times)
        growths.append(mean([max(way) / start for start, *way in zip(starts, *later, strict=True)], log=True))
    growth = min(growths, key=lambda each: each.middle, default=NOTHING)
    claims = [
        claimed(
            f"μPC: at every depth up to H = {deepest} at most {CLOSE:g} points below backprop at H = {deepest}",
            worst,
            within(worst, most=CLOSE),
        ),
        claimed(
            f"PC with skips and standard parameters, at its best rate: at H = {deepest} at least {LOST:g} points below "
            "μPC (published: 87)",
            lost,
            within(lost, least=LOST) if interior else None,
        ),
        claimed(
            f"μPC: at every depth up to H = {deepest} the condition number grows at least {GROWS:g} times during "
            "training",
            growth,
            within(growth, least=GROWS),
        ),
    ]
    if protocol.deep:
        known = all(best[network] is not None for network in protocol.networks)
        behind = _worst([_difference(seen("bp", h), seen("mupc", h)) for h in protocol.deep if known])
        where = " and ".join(map(str, protocol.deep))
        text = f"μPC at H = {where}: at most {CLOSE:g} points below backprop of that depth"
        claims.append(claimed(text, behind, within(behind, most=CLOSE)))
    return claims


def _worst(gaps: list[Mean]) -> Mean:
    return max(gaps, key=lambda gap: gap.middle, default=NOTHING)


def _difference(a: list[float], b: list[float]) -> Mean:
    """The mean of a - b, seed by seed."""
    return mean([x - y for x, y in zip(a, b, strict=True)])


STUDIES = {
    "depth-stability": Study(
        "Stability in depth",
        "which networks still train when they get deep, how far errors reach in them, and how ill-conditioned they get",
        "μPC (arXiv 2505.13124), figures 1, 3 and A.22 to A.28",
        DepthStability(),
        DepthStability(hidden=(8, 32), deep=(), seeds=(0,), width=32, times=(0, 10, 50, 200)),
        report,
    )
}
