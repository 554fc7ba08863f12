"""Predictive coding as a trust-region method (arXiv 2305.18188; theory.md 4.8): inference is a Newton step in the
activities, weights learn along a direction that knows curvature, and deep networks learn in fewer steps than by
backpropagation, each at its best rate."""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import NOTHING, above, claimed, curve_of
from pcviz.instruments.reproduce.statistics import Mean, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

SET_UP: dict[str, Any] = {
    "network.width": 64,
    "network.parameterisation": "sp",
    "network.initialisation": "uniform",
    "network.skips": False,
    "learning.rule": "bp",
    "learning.optimiser": "sgd",
}
"""What all networks share."""
RULES = {"bp": "backprop", "pc": "PC at equilibrium"}
START = "start"
"""Instead of a rule: nothing learns, and the directions of the first step are compared."""
LEARNT, MEANT = 0.3, 5
"""A network has learnt when the mean loss of so many batches is below this; at the start it is 0.5."""
INFERENCE_STEPS = 10
"""Of conjugate gradients, before each weight step of PC."""
EXACT, NEARLY = 1e-6, 0.99
"""Inference of linear networks is the Newton step but for rounding; that of tanh networks has this cosine with it."""


class Learner(NamedTuple):
    """One training, or one fresh network: activation, depth, rule, weight rate, seed."""

    activation: str
    depth: int
    rule: str
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.activation} L={self.depth} {self.rule} rate {self.rate:g} seed {self.seed}"


class Race(NamedTuple):
    """Networks of standard parameters that learn digits by gradient descent at several rates, for at most
    `weight_steps`."""

    depths: tuple[int, ...] = (3, 10)
    activations: tuple[str, ...] = ("linear", "tanh")
    rates: tuple[float, ...] = (0.1, 0.178, 0.316, 0.562, 1.0, 1.78, 3.16, 5.62, 10.0, 17.8, 31.6, 56.2)
    seeds: tuple[int, ...] = (0, 1, 2)
    weight_steps: int = 120

    @property
    def cells(self) -> dict[str, Learner]:
        """The networks by name; all of a seed before the next one."""
        learners = []
        for seed, activation, depth in product(self.seeds, self.activations, self.depths):
            learners.append(Learner(activation, depth, START, 0.0, seed))
            learners += [Learner(activation, depth, *at, seed) for at in product(RULES, self.rates)]
        return {learner.name: learner for learner in learners}

    def experiment_of(self, learner: Learner) -> Experiment:
        """The training of one network, by backpropagation."""
        own = {"network.activation": learner.activation, "network.depth": learner.depth, "seed": learner.seed}
        rate = learner.rate or self.rates[0]
        return from_paths({**SET_UP, **own, "learning.learning_rate": rate, "learning.steps": self.weight_steps})

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds."""
        return {name: self._seconds(learner) for name, learner in self.cells.items()}

    def _seconds(self, learner: Learner) -> float:
        first = (learner.seed, learner.rate) == (self.seeds[0], self.rates[0])
        if learner.rule == START:
            return 1.0
        pace = 6e-4 * learner.depth if learner.rule == "pc" else 1e-4 * learner.depth
        return (2 * PROGRAM_SECONDS if first else 0.0) + self.weight_steps * pace / 4


def report(found: Cells, protocol: Race) -> Report:
    """Steps until each network has learnt, against rates; the directions of the first step; the verdict."""
    steps = {
        (cell["activation"], cell["depth"], cell["rule"], cell["rate"], cell["seed"]): _number(cell["learnt"])
        for cell in found
        if cell["rule"] != START
    }
    starts = [cell for cell in found if cell["rule"] == START]
    races = [
        Chart(
            f"Steps to learn, {activation}, L = {depth}",
            "weight rate",
            "weight steps",
            protocol.rates,
            [_over_rates(rule, activation, depth, steps, protocol) for rule in RULES],
            f"Weight steps until the mean loss of {MEANT} batches is below {LEARNT:g}: geometric means over seeds with "
            "95 % intervals. Nothing where a network does not get there.",
            log_x=True,
            log_y=True,
        )
        for activation, depth in product(protocol.activations, protocol.depths)
    ]
    places = [f"{activation}, L = {depth}" for activation, depth in product(protocol.activations, protocol.depths)]
    curves = [
        curve_of(label, [_cosine(name, place, starts) for place in _places(protocol)])
        for name, label in (("pc_newton", "PC's step"), ("gradient_newton", "backprop's step"))
    ]
    words = "Cosine of the first weight step with that of Gauss-Newton, which uses curvature; means over seeds."
    races.append(Chart("Nearness to Gauss-Newton", "network", "cosine", places, curves, words, joined=False))
    how = (
        f"digits, N = {SET_UP['network.width']}, uniform initial weights, no skips, gradient descent on weights, PC by "
        f"{INFERENCE_STEPS} steps of conjugate gradients; {len(protocol.seeds)} seed(s)"
    )
    return Report(races, verdict(steps, starts, protocol), how)


def _number(steps: int | None) -> float:
    return math.inf if steps is None else float(steps)


def _places(protocol: Race) -> list[tuple[str, int]]:
    return list(product(protocol.activations, protocol.depths))


def _at_rate(rule: str, place: tuple[str, int], rate: float, steps: dict[Any, float], protocol: Race) -> Mean:
    """Steps to learn; infinite where one of the seeds did not, NaN until all are there."""
    seen = [steps.get((*place, rule, rate, seed), math.nan) for seed in protocol.seeds]
    return NOTHING if any(map(math.isnan, seen)) else mean(seen, log=True)


def _over_rates(rule: str, activation: str, depth: int, steps: dict[Any, float], protocol: Race) -> Curve:
    means = [_at_rate(rule, (activation, depth), rate, steps, protocol) for rate in protocol.rates]
    shown = [one if math.isfinite(one.middle) else NOTHING for one in means]
    return curve_of(RULES[rule], shown)


def _cosine(name: str, place: tuple[str, int], starts: Cells) -> Mean:
    return mean([cell[name] for cell in starts if (cell["activation"], cell["depth"]) == place])


def _best(rule: str, place: tuple[str, int], steps: dict[Any, float], protocol: Race) -> int | None:
    """Which rate needs the fewest steps; None until all are known, and where it is one of the ends."""
    means = [_at_rate(rule, place, rate, steps, protocol).middle for rate in protocol.rates]
    if any(map(math.isnan, means)) or math.isinf(min(means)):
        return None
    at = means.index(min(means))
    return at if 0 < at < len(means) - 1 else None


def verdict(steps: dict[Any, float], starts: Cells, protocol: Race) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing, or a best rate is at an end."""
    deepest = protocol.depths[-1]
    claims = []
    for activation in protocol.activations:
        own = [cell for cell in starts if cell["activation"] == activation]
        whole = len(own) == len(protocol.depths) * len(protocol.seeds)
        if activation == "linear":
            missed = max((abs(cell["newton_ratio"] - 1) + abs(cell["newton_cosine"] - 1) for cell in own), default=None)
            text = f"linear: inference is the Newton step in the activities, to {EXACT:g}"
            claims.append(Claim(text, missed, missed <= EXACT if whole and missed is not None else None))
        else:
            lowest = min((cell["newton_cosine"] for cell in own), default=None)
            text = f"{activation}: the cosine of inference with the Newton step is at least {NEARLY:g}"
            claims.append(Claim(text, lowest, lowest >= NEARLY if whole and lowest is not None else None))
        deep = [cell for cell in own if cell["depth"] == deepest]
        nearer = mean([cell["pc_newton"] - cell["gradient_newton"] for cell in deep])
        nearer = nearer if len(deep) == len(protocol.seeds) else NOTHING
        text = f"{activation}, L = {deepest}: PC's weight step is nearer to Gauss-Newton's than backprop's is (cosines)"
        claims.append(claimed(text, nearer, above(nearer, 0.0)))
        slower = _advantage((activation, deepest), steps, protocol)
        text = f"{activation}, L = {deepest}: backprop needs more steps than PC, each at its best rate (ratio)"
        claims.append(claimed(text, slower, above(slower, 1.0)))
    return claims


def _advantage(place: tuple[str, int], steps: dict[Any, float], protocol: Race) -> Mean:
    """How many times more steps backpropagation needs."""
    best = {rule: _best(rule, place, steps, protocol) for rule in RULES}
    if best["bp"] is None or best["pc"] is None:
        return NOTHING
    slow, fast = (protocol.rates[at] for at in (best["bp"], best["pc"]))
    return mean(
        [steps[*place, "bp", slow, seed] / steps[*place, "pc", fast, seed] for seed in protocol.seeds], log=True
    )


STUDIES = {
    "trust-region": Study(
        "Trust region",
        "whether PC's inference is a Newton step, and whether deep networks learn in fewer steps by it",
        "arXiv 2305.18188; thesis (arXiv 2510.23323)",
        Race(),
        Race(depths=(10,), rates=(0.316, 0.562, 1.0, 1.78, 3.16, 5.62, 10.0, 17.8, 31.6, 56.2), seeds=(0,)),
        report,
    )
}
