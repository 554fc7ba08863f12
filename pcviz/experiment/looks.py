"""Looks: runs that do not train but show what a network is like. The options that all looks share, and the estimated
time of a look, part by part, before it starts.

The time is a model, as in `pcviz.experiment.cost`: arithmetic at the assumed speed, plus the time of calls and
compilation on two ordinary cores. A running look scales it to its own pace. H hidden layers, N width.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from pcviz.experiment import cost
from pcviz.experiment.architectures import ARCHITECTURES
from pcviz.experiment.section import Section, option
from pcviz.experiment.whole import Experiment

Parts = dict[str, float]
"""Part of a look -> its seconds."""
SHARES = 100
"""A look counts its work in hundredths."""
RUN_ID = "^[0-9a-f]{32}$"
MOST_STEPS = 100_000
"""Most weight steps of the training up to the weights that a look shows."""
SETTLING_PASSES = 100
"""Gradient evaluations of one point of F*."""
PAIRED = 0.6
"""Share of the time that is left of two trainings that are made at a time."""
PROGRAM_SECONDS = 0.8
"""Time to compile one program of a look."""
FACTOR_SPEED = 5e9
"""FLOP/s of the factorisation of activity Hessians."""


class AtStep(Section):
    """What a child that follows the weights of a training is told: the weight step; None: the latest ones, always."""

    at: int | None = Field(None, ge=0)


class LookOptions(Section):
    """The options of a look besides its experiment."""

    PAGE: ClassVar[str]
    """Path of the page that shows such looks."""
    KEYS: ClassVar[dict[str, str]]
    """Key of the widget and in addresses -> field, in reading order."""
    OF_NETWORK: ClassVar[bool] = True
    """Whether the look examines the network of its experiment."""

    @abstractmethod
    def own_parts(self, experiment: Experiment) -> Parts:
        """The seconds of each part of the look itself."""

    def parts(self, experiment: Experiment) -> Parts:
        """The seconds of each part, with those of a training up to the weights that the look shows."""
        found = self.own_parts(experiment)
        for part, step in (("train", "step"), ("train other", "source_step")):
            if steps := getattr(self, step, None):
                found[part] = cost.estimate(experiment.changed({"learning.steps": steps})).seconds
        return found

    def steps(self, experiment: Experiment) -> int:
        """The number of steps in which the look counts its work."""
        return SHARES

    def seconds(self, experiment: Experiment, slowdown: float = 1.0) -> float:
        """The whole time on a machine that takes `slowdown` times what this model assumes."""
        return slowdown * sum(self.parts(experiment).values())

    def stored(self) -> dict[str, Any]:
        """The options as stored with a run."""
        return self.model_dump(mode="json", exclude_none=True)


class BatchLookOptions(LookOptions):
    """The options of a look at one batch of a network: which weights, after which step, which batch."""

    source: str | None = option(None, "Network", "Run whose weights are used; none: fresh weights.", pattern=RUN_ID)
    step: int | None = option(
        None,
        "At step",
        "Empty: fresh weights, or the run's latest checkpoint. A number: the weights after that many steps, by "
        "training again from the seed, which gives the same weights.",
        ge=0,
        le=MOST_STEPS,
    )
    batch: int = option(0, "Batch", "Which training batch.", ge=0, le=1_000_000)


class GroupOptions(LookOptions):
    """The options of a group, a run of many experiments: its parts are the members, and its steps count them."""

    def steps(self, experiment: Experiment) -> int:
        """The number of members."""
        return len(self.parts(experiment))


def unexamined(experiment: Experiment) -> str | None:
    """Why a look at the least energy F* or at curvatures does not examine this network; None if it does."""
    name, apart = experiment.network.architecture, experiment.network.facts.apart
    fit = ", ".join(name for name, facts in ARCHITECTURES.items() if facts.plain)
    return f"network.architecture: {name} is not examined: {apart} (allowed: {fit})" if apart else None


Options = TypeVar("Options", bound=LookOptions)


def slowdown(experiment: Experiment, options: Options, history: Iterable[tuple[Experiment, Options, float]]) -> float:
    """How many times longer than assumed such looks took; 1 without earlier looks. `history` holds experiment, options
    and compute seconds of finished looks of this kind."""
    size = options.seconds(experiment)
    ratios = []
    for earlier, chosen, took in history:
        expected = chosen.seconds(earlier)
        ratios.append((abs(math.log(expected / size)), took / expected))
    return cost.of_nearest(ratios)


def gradient_flops(experiment: Experiment, examples: int | None = None) -> float:
    """Arithmetic of one gradient evaluation, forward and backward, of the batch or of that many `examples`."""
    facts, network = experiment.data.facts, experiment.network
    sizes = [facts.input_dim, *[network.width] * experiment.hidden_layers, facts.output_dim]
    return 4.0 * (examples or experiment.learning.batch_size) * sum(a * b for a, b in pairwise(sizes))


def gradient_seconds(experiment: Experiment, examples: int | None = None) -> float:
    """Time of one gradient evaluation of the batch or of that many `examples`."""
    speed = cost.assumed_speed(experiment.network.width) * (1 if experiment.dtype == "float32" else 0.5)
    return 1e-4 + gradient_flops(experiment, examples) / speed


def factor_seconds(experiment: Experiment) -> float:
    """Time to factorise one activity Hessian."""
    return experiment.hidden_layers * experiment.network.width**3 / FACTOR_SPEED
