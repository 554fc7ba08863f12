"""Looks: runs that are no trainings and show what a network is like. What all their options have in common, and how
long a look takes, part by part, before it starts.

The time is a model, as `pcviz.experiment.cost`: arithmetic at the assumed speed, and what calls and compilation take on
two ordinary cores. A look that is under way scales it to its own pace. H hidden layers, N width.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from pcviz.experiment import cost
from pcviz.experiment.section import Section, option
from pcviz.experiment.whole import Experiment

Parts = dict[str, float]
"""Part of a look -> its seconds."""
SHARES = 100
"""A look counts the work done in hundredths."""
RUN_ID = "^[0-9a-f]{32}$"
MOST_STEPS = 100_000
"""Of training up to the weights that are looked at."""
SETTLING_PASSES = 100
"""Gradient evaluations of one point of F*."""
PROGRAM_SECONDS = 0.8
"""Compiling one program of a look."""
FACTOR_SPEED = 5e9
"""FLOP/s of the factorisation of activity Hessians."""


class LookOptions(Section):
    """What a look takes besides its experiment."""

    PAGE: ClassVar[str]
    """Path of the page that shows such looks."""
    KEYS: ClassVar[dict[str, str]]
    """Key of the widget and in addresses -> field, in reading order."""
    OF_NETWORK: ClassVar[bool] = True
    """Whether it looks at the network of its experiment."""

    @abstractmethod
    def own_parts(self, experiment: Experiment) -> Parts:
        """The seconds of each part of the look itself."""

    def parts(self, experiment: Experiment) -> Parts:
        """The seconds of each part, a training up to the weights that are looked at among them."""
        found = self.own_parts(experiment)
        for part, step in (("train", "step"), ("train other", "source_step")):
            if steps := getattr(self, step, None):
                found[part] = cost.estimate(experiment.changed({"learning.steps": steps})).seconds
        return found

    def steps(self, experiment: Experiment) -> int:
        """In how many steps it counts its work."""
        return SHARES

    def seconds(self, experiment: Experiment, slowdown: float = 1.0) -> float:
        """The whole time on a machine that takes `slowdown` times what this model assumes."""
        return slowdown * sum(self.parts(experiment).values())

    def stored(self) -> dict[str, Any]:
        """As kept with a run."""
        return self.model_dump(mode="json", exclude_none=True)


class BatchLookOptions(LookOptions):
    """What a look at one batch of a network takes: whose weights, after which step, which batch."""

    source: str | None = option(None, "Network", "Run whose weights are taken; none: fresh ones.", pattern=RUN_ID)
    step: int | None = option(
        None,
        "At step",
        "Empty: fresh weights, or the run's latest checkpoint. A number: the weights after so many steps, by training "
        "anew from the seed, which gives the same ones again.",
        ge=0,
        le=MOST_STEPS,
    )
    batch: int = option(0, "Batch", "Which training batch.", ge=0, le=1_000_000)


class GroupOptions(LookOptions):
    """What a group takes, a run of many experiments: its parts are these members, and its steps count them."""

    def steps(self, experiment: Experiment) -> int:
        """The number of members."""
        return len(self.parts(experiment))


Options = TypeVar("Options", bound=LookOptions)


def slowdown(experiment: Experiment, options: Options, history: Iterable[tuple[Experiment, Options, float]]) -> float:
    """How many times longer than assumed such looks took; 1 without any. `history` holds experiment, options and
    compute seconds of earlier looks of this kind that came to their end."""
    size = options.seconds(experiment)
    ratios = []
    for earlier, chosen, took in history:
        expected = chosen.seconds(earlier)
        ratios.append((abs(math.log(expected / size)), took / expected))
    return cost.of_nearest(ratios)


def gradient_flops(experiment: Experiment, examples: int | None = None) -> float:
    """Arithmetic of one gradient evaluation, forward and backward, of the batch or so many examples."""
    facts, network = experiment.data.facts, experiment.network
    sizes = [facts.input_dim, *[network.width] * experiment.hidden_layers, facts.output_dim]
    return 4.0 * (examples or experiment.learning.batch_size) * sum(a * b for a, b in pairwise(sizes))


def gradient_seconds(experiment: Experiment, examples: int | None = None) -> float:
    """Time of one gradient evaluation of the batch or so many examples."""
    speed = cost.assumed_speed(experiment.network.width) * (1 if experiment.dtype == "float32" else 0.5)
    return 1e-4 + gradient_flops(experiment, examples) / speed


def factor_seconds(experiment: Experiment) -> float:
    """Time to factorise one activity Hessian."""
    return experiment.hidden_layers * experiment.network.width**3 / FACTOR_SPEED
