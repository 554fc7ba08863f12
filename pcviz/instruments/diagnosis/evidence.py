"""The evidence that rules read: an experiment and plain arrays, and what follows from them."""

from dataclasses import dataclass

import numpy as np

from pcviz.brief import short
from pcviz.experiment import Experiment
from pcviz.experiment.rules import BASELINE
from pcviz.frames import Value
from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.channels import BASELINES, RELAXATIONS
from pcviz.instruments.diagnosis.treatments import TREATMENTS, ill
from pcviz.instruments.diagnosis.twins import MAKE, PLANTED, TWINS

START, END = 0, 1
NOTHING = np.array([])
LAST = 0.25
"""The share of the weight steps, at the end, whose training loss counts."""


def late(losses: np.ndarray) -> np.ndarray:
    """The last of these losses, one for each weight step."""
    return losses[-max(1, int(LAST * len(losses))) :]


@dataclass(frozen=True)
@short
class Evidence:
    """`values` by channel, as in `channels`; what is missing was not measured."""

    experiment: Experiment
    values: dict[str, Value]

    # --- reading

    def of_twin(self, channel: str, name: str) -> float:
        """A number of a twin, NaN if there is none."""
        numbers, place = np.asarray(self.values.get(channel, ())), TWINS.index(name)
        return float(numbers[place]) if place < len(numbers) else float("nan")

    def baseline(self, name: str) -> float:
        """How many points a baseline makes (see `score`)."""
        part = "accuracy" if self.has_classes else "loss"
        numbers = self.values.get(f"baseline_{part}")
        if numbers is None:
            return float("nan")
        value = float(np.asarray(numbers)[BASELINES.index(name)])
        return 100 * value if self.has_classes else self._of_loss(value)

    def probe(self, channel: str, place: int) -> np.ndarray:
        """A row of a probe, empty if it was not measured."""
        rows = self.values.get(channel)
        return NOTHING if rows is None else np.asarray(rows)[..., place]

    # --- what it costs

    @property
    def has_classes(self) -> bool:
        """Whether points are those of accuracy."""
        return self.experiment.data.facts.task == "classification"

    def score(self, name: str) -> float:
        """The points of a twin: test accuracy in per cent; without classes how much of the loss of chance its training
        has removed, in units of `LOSS_POINTS` per cent. -inf where it diverged, NaN where there is no such twin."""
        loss = self.of_twin("twin_loss", name)
        if np.isinf(loss):
            return -np.inf
        if self.has_classes:
            return 100 * self.of_twin("twin_accuracy", name)
        return self._of_loss(self.of_twin("twin_train_loss", name))

    def score_of(self, values: dict[str, Value]) -> float:
        """The points of a training, from the values of its last frame, which holds its history."""
        if self.has_classes:
            return 100 * float(values["test_accuracy"])
        losses = np.asarray(values["train_loss_history"])
        return self._of_loss(float(late(losses[:, 0]).mean()) if len(losses) else np.nan)

    def _of_loss(self, loss: float) -> float:
        numbers = self.values.get("baseline_loss")
        chance = np.nan if numbers is None else float(np.asarray(numbers)[0])
        return float(100 * (1 - loss / chance) / limit.LOSS_POINTS.value)

    def points(self, better: str, worse: str) -> float:
        """By how many points one twin is better; as much as chance allows where the other one diverged."""
        high, low = self.score(better), self.score(worse)
        if np.isneginf(low):
            low = self.baseline("chance")
            low = 0.0 if np.isnan(low) else min(low, high if np.isfinite(high) else low)
        return float(high - low)

    @property
    def costs(self) -> float:
        """From how many points on a difference between two twins is more than noise."""
        if not self.has_classes:
            return limit.COSTS.value
        noise = 200 * float(np.sqrt(limit.DISAGREE.value / self.experiment.data.test_count))
        return max(limit.COSTS.value, noise)

    @property
    def reference(self) -> str:
        """The twin of backpropagation with the same network: the experiment itself where that is its rule."""
        return "own" if self.experiment.learning.rule == BASELINE else "backprop"

    @property
    def healthy(self) -> str:
        """The twin in which network and learning are sound."""
        return self.reference if np.isnan(self.score("sound")) else "sound"

    def lead(self, better: str, worse: str) -> float:
        """By which share of the weight steps one twin is ahead of another: how much earlier its training loss, averaged
        over a few steps, was as low as that of the other is at the end. 1 where the curves were not measured."""
        curves = self.values.get("twin_curve")
        if curves is None:
            return 1.0
        ahead, behind = (np.asarray(curves)[:, TWINS.index(name)] for name in (better, worse))
        width = max(1, int(LAST * len(ahead)))
        means = np.array([ahead[max(0, i - width + 1) : i + 1].mean() for i in range(len(ahead))])
        reached = np.flatnonzero(means <= late(behind).mean())
        return float(1 - (reached[0] + 1) / len(ahead)) if len(reached) else 0.0

    @property
    def best(self) -> str:
        """The best of all twins."""
        known = [name for name in TWINS if not np.isnan(self.score(name))]
        return max(known, key=self.score, default="own")

    @property
    def left(self) -> float:
        """How many points the experiment leaves to the best twin."""
        return self.points(self.best, "own")

    @property
    def diverged(self) -> bool:
        """Whether the experiment's own training did not stay finite."""
        return bool(np.isneginf(self.score("own")))

    @property
    def make_costs(self) -> bool:
        """Whether the network and how it learns cost something, whatever the relaxation."""
        return self.healthy == "sound" and self.points("sound", self.reference) >= self.costs

    def planted(self) -> dict[str, float]:
        """Treatment -> points that a sound network loses without it."""
        found = {name: self.points("sound", f"sound but {name}") for name in PLANTED}
        return {name: points for name, points in found.items() if not np.isnan(points)}

    @property
    def whole(self) -> str:
        """The experiment's twin with its own rule in which network and learning are sound."""
        return "relaxed" if self.experiment.learning.facts.relaxes else "sound"

    @property
    def settings_interact(self) -> bool:
        """Whether network and learning are to blame, but none of their settings costs a sound network enough: then it
        is together with others, or with the relaxation, that one does."""
        alone = max(self.planted().values(), default=0.0)
        together = self.points(self.whole, "own")
        if alone >= max(limit.FAILS.value, self.costs) or np.isnan(together) or together < self.costs:
            return False
        return self.make_costs or max(self.gains().values(), default=0.0) < limit.HEARD_GAIN.value

    def blamed(self) -> dict[str, float]:
        """Treatment of network or learning -> points that its setting costs, of those to blame. What a sound network
        loses counts; where settings interact also what the experiment gains by one treatment alone: the one that gains
        most, and of those that gain about as much the one that costs a sound network most."""
        planted = self.planted()
        alone = {name: points for name, points in planted.items() if points >= self.costs}
        if not self.settings_interact:
            return alone
        made = ill(self.experiment, MAKE)
        gains = {name: self.points(f"treated {name}" if len(made) > 1 else self.whole, "own") for name in made}
        most = np.nanmax([*gains.values(), 0.0])
        if most < self.costs:
            return alone
        alike = [name for name, points in gains.items() if points >= max(most - self.costs, self.costs)]
        worst = max(alike, key=lambda name: (planted.get(name, 0.0), gains[name]))
        return alone | {worst: gains[worst]}

    @property
    def relaxation_points(self) -> float:
        """The points that the relaxation costs: in a sound network where the network itself is not, and if it costs
        something there, in the network itself where that is more."""
        if not self.experiment.learning.facts.relaxes:
            return 0.0
        blames = self.make_costs or self.settings_interact or self.restores(self.whole)
        pair = (self.reference, "own") if not blames or np.isnan(self.score("relaxed")) else ("sound", "relaxed")
        points = self.points(*pair)
        if points > 0 and not self.diverged and self.lead(*pair) < limit.LEAD.value:
            return 0.0
        return max(points, self.points(self.reference, "own")) if points >= self.costs else points

    @property
    def relaxation_costs(self) -> bool:
        """Whether that is something, or may be."""
        loses = not self.make_costs and self.points(self.reference, "own") >= self.costs
        return loses or self.relaxation_points >= limit.LEAVES.value or self.energy_rises(START)

    @property
    def falls_behind_neighbours(self) -> bool:
        """Whether the nearest training examples predict better than every network."""
        behind = self.baseline("neighbours") - self.score(self.best)
        return behind >= limit.BEHIND.value or (not self.has_classes and self.score(self.best) < 40)

    # --- the relaxation

    def energy_rises(self, place: int) -> bool:
        """Whether the relaxation ends with more energy than it began with, or none that is finite."""
        energies = np.asarray(self.probe("vital_energy", place))
        if not len(energies) or np.isnan(energies[0]):
            return False
        inference, rule = self.experiment.inference, self.experiment.learning.facts
        if inference.activity_decay or inference.precision_schedule != "constant" or not rule.plain:
            return not np.isfinite(energies).all()  # what descends then is not the energy alone
        return not np.isfinite(energies).all() or bool(energies[-1] > energies[0] * (1 + limit.RISES.value))

    def heard(self, place: int) -> np.ndarray:
        """Which layers 1 … L get an error above rounding, and a gradient that moves their weights, (L,)."""
        error, floor = self.probe("vital_error", place), self.probe("vital_floor", place)
        if not len(error) or np.isnan(error).all():
            return np.ones(len(error), bool)
        return np.asarray((error > floor) & self.moving(place))

    def moving(self, place: int) -> np.ndarray:
        """Which layers have a gradient that the optimiser turns into steps, (L,)."""
        gradient = np.nan_to_num(self.probe("vital_gradient", place))
        learning = self.experiment.learning
        if learning.optimiser == "sgd":
            return np.asarray(np.nan_to_num(self.probe("vital_ratio", place)) > 1e-3)
        return np.asarray(gradient / (gradient + learning.adam_epsilon) > limit.STARVED.value)

    def alignment(self, name: str = "own") -> float:
        """The mean over the layers of their cosines with backpropagation, 0 where a layer hears nothing: of the
        experiment's relaxation of a batch with the last weights (with fresh ones where those have gone astray), or of
        that with one treatment."""
        rows, heard = self.values.get("treated_cosine"), self.values.get("treated_heard")
        if rows is None or heard is None:
            return float("nan")
        place = RELAXATIONS.index(name)
        cosine, loud = np.asarray(rows)[:, place], np.asarray(heard)[:, place]
        if np.isnan(loud).all():
            return float("nan")
        return float(np.mean(np.clip(np.nan_to_num(cosine), 0, 1) * loud))

    def gains(self) -> dict[str, float]:
        """Treatment of the relaxation -> what it adds to the alignment."""
        found = {n: self.alignment(n) - self.alignment() for n, t in TREATMENTS.items() if t.part == "relaxation"}
        return {name: gain for name, gain in found.items() if not np.isnan(gain)}

    def restores(self, name: str) -> bool:
        """Whether a twin is better than the experiment, and as good as the best."""
        return self.points(name, "own") >= self.costs > self.points(self.best, name)

    @property
    def gradients_are_fine(self) -> bool:
        """Whether the relaxation costs something although no treatment of it brings gradients nearer to
        backpropagation's."""
        gain = max(self.gains().values(), default=0.0)
        return gain < limit.HEARD_GAIN.value and self.relaxation_points >= self.costs
