"""Treatments: the settings that can be to blame, each with the values known to work.

A treatment is an intervention. Planted back alone into a sound network it shows what its setting costs; alone in the
network at hand it is the remedy.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from pcviz.experiment import Experiment
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.whole import defaults

Changes = dict[str, Any]
"""Field path -> value."""
DEFAULTS: Changes = defaults({})
"""Values with which the default network learns."""
NARROW = 8
"""Hidden layers of fewer units than this are widened."""


class Treatment(NamedTuple):
    """A group of settings: what it is called in a sentence, which part it belongs to, and the `sound` values that the
    experiment would get; they may be those that it has."""

    label: str
    part: Literal["network", "learning", "relaxation"]
    sound: Callable[[Experiment], Changes]

    def changes(self, experiment: Experiment) -> Changes:
        """The sound values that differ from the experiment's; none if it is sound already."""
        now = values_of(experiment)
        return {path: value for path, value in self.sound(experiment).items() if now[path] != value}


def values_of(experiment: Experiment) -> Changes:
    """Every option by its field path."""
    differences = experiment.differences()
    return {**defaults(differences), **differences}


def _scaling(experiment: Experiment) -> Changes:
    network, rate = experiment.network, experiment.learning.learning_rate
    sound = {f"network.{name}": DEFAULTS[f"network.{name}"] for name in ("parameterisation", "initialisation", "skips")}
    to = PARAMETERISATIONS[sound["network.parameterisation"]]
    if network.scaling != to and rate != "auto" and experiment.learning.optimiser != "sgd":
        # A rate of Adam is large or small for a parameterisation: it stays as large as it is.
        sound["learning.learning_rate"] = rate / network.scaling.learning_rate * to.learning_rate
    return sound


def _epsilon(experiment: Experiment) -> Changes:
    return {"learning.adam_epsilon": min(experiment.learning.adam_epsilon, DEFAULTS["learning.adam_epsilon"])}


def _activation(experiment: Experiment) -> Changes:
    activation = experiment.network.activation
    return {"network.activation": DEFAULTS["network.activation"] if activation == "linear" else activation}


def _width(experiment: Experiment) -> Changes:
    width = experiment.network.width
    return {"network.width": DEFAULTS["network.width"] if width < NARROW else width}


def _relaxation(experiment: Experiment) -> Changes:
    """The relaxation that belongs to the learning rule."""
    usual = defaults({"learning.rule": experiment.learning.rule})
    return {f"inference.{name}": usual[f"inference.{name}"] for name in RELAXATION}


def _usual(*paths: str) -> Callable[[Experiment], Changes]:
    """The defaults of these fields, with which the default network learns."""
    return lambda experiment: {path: DEFAULTS[path] for path in paths}


RATE = ("learning.learning_rate", "learning.lr_scaling", "learning.optimiser")
RELAXATION = ("solver", "step_size", "momentum", "steps", "precision_schedule")

TREATMENTS: dict[str, Treatment] = {
    "scaling": Treatment("the scale of the weights", "network", _scaling),
    "gamma": Treatment("the output scale", "network", _usual("network.gamma")),
    "activation": Treatment("the activation", "network", _activation),
    "width": Treatment("the width", "network", _width),
    "rate": Treatment("the learning rate", "learning", _usual(*RATE)),
    "epsilon": Treatment("Adam's ε", "learning", _epsilon),
    "decay": Treatment("the weight decay", "learning", _usual("learning.weight_decay")),
    "norm": Treatment("the weight norm", "learning", _usual("learning.weight_norm")),
    "layers": Treatment("the learning rates by layer", "learning", _usual("learning.layer_rates")),
    "time": Treatment("the relaxation", "relaxation", _relaxation),
    "start": Treatment("the initial activities", "relaxation", _usual("inference.initial")),
    "nudge": Treatment("the nudge", "relaxation", _usual("inference.nudging")),
    "pull": Treatment("the activity decay", "relaxation", _usual("inference.activity_decay")),
    "precision": Treatment("the output precision", "relaxation", _usual("network.output_precision")),
}
"""By name; those of network and learning in the order in which they are applied."""


def ill(experiment: Experiment, parts: Iterable[str]) -> list[str]:
    """The treatments of these parts that would change the experiment."""
    return [n for n, t in TREATMENTS.items() if t.part in parts and t.changes(experiment)]


def treated(experiment: Experiment, names: Iterable[str]) -> Experiment:
    """The experiment with these treatments, applied in the order of the table; raises ValidationError where the result
    makes no sense."""
    chosen = set(names)
    changes: Changes = {}
    for name, treatment in TREATMENTS.items():
        if name in chosen:
            changes |= treatment.changes(experiment)
    return experiment.changed(changes) if changes else experiment
