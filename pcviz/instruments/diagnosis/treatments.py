"""Treatments: the settings that can be to blame, each with the values known to work.

A treatment is an intervention. Planted back alone into a sound network it shows what its setting costs; alone in the
network at hand it is the remedy.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from pcviz.experiment import Experiment
from pcviz.experiment.learning import Learning
from pcviz.experiment.parameterisations import PARAMETERISATIONS
from pcviz.experiment.whole import defaults

Changes = dict[str, Any]
"""Field path -> value."""
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
    sound: Changes = {
        "network.parameterisation": "mupc",
        "network.initialisation": "normal",
        "network.skips": True,
    }
    if network.parameterisation != "mupc" and rate != "auto":
        # A rate is large or small for a parameterisation: it stays as large as it is.
        sound["learning.learning_rate"] = rate / network.scaling.learning_rate * PARAMETERISATIONS["mupc"].learning_rate
    return sound


def _rate(experiment: Experiment) -> Changes:
    return {"learning.learning_rate": "auto", "learning.lr_scaling": "none", "learning.optimiser": "adam"}


def _epsilon(experiment: Experiment) -> Changes:
    return {"learning.adam_epsilon": min(experiment.learning.adam_epsilon, default(Learning, "adam_epsilon"))}


def _activation(experiment: Experiment) -> Changes:
    activation = experiment.network.activation
    return {"network.activation": "relu" if activation == "linear" else activation}


def _width(experiment: Experiment) -> Changes:
    width = experiment.network.width
    return {"network.width": 64 if width < NARROW else width}


def _relaxation(experiment: Experiment) -> Changes:
    return {
        "inference.solver": "momentum",
        "inference.step_size": 0.1,
        "inference.momentum": 0.9,
        "inference.steps": "4depth",
        "inference.precision_schedule": "constant",
    }


def default(section: type, name: str) -> Any:
    """The default of a field."""
    return section.model_fields[name].default  # type: ignore[attr-defined]


def _fixed(**values: Any) -> Callable[[Experiment], Changes]:
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return lambda experiment: dict(changes)


TREATMENTS: dict[str, Treatment] = {
    "scaling": Treatment("the scale of the weights", "network", _scaling),
    "gamma": Treatment("the output scale", "network", _fixed(network__gamma=1.0)),
    "activation": Treatment("the activation", "network", _activation),
    "width": Treatment("the width", "network", _width),
    "rate": Treatment("the learning rate", "learning", _rate),
    "epsilon": Treatment("Adam's ε", "learning", _epsilon),
    "decay": Treatment("the weight decay", "learning", _fixed(learning__weight_decay=0.0)),
    "norm": Treatment("the weight norm", "learning", _fixed(learning__weight_norm="none")),
    "layers": Treatment("the learning rates by layer", "learning", _fixed(learning__layer_rates="1")),
    "time": Treatment("the relaxation", "relaxation", _relaxation),
    "start": Treatment("the initial activities", "relaxation", _fixed(inference__initial="feedforward")),
    "nudge": Treatment("the nudge", "relaxation", _fixed(inference__nudging="none")),
    "pull": Treatment("the activity decay", "relaxation", _fixed(inference__activity_decay=0.0)),
    "precision": Treatment("the output precision", "relaxation", _fixed(network__output_precision=1.0)),
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
