"""The shape of an experiment: what decides which programs train it."""

from typing import Any

from pcviz.experiment.schema import flatten
from pcviz.experiment.whole import Experiment

TRACED = frozenset(
    {
        "inference.momentum",
        "inference.nudge_strength",
        "inference.precision_decay",
        "inference.spike_alpha",
        "inference.step_size",
        "inference.steps",
        "learning.adam_epsilon",
        "learning.layer_rates",
        "learning.learning_rate",
        "learning.lr_scaling",
        "learning.steps",
        "learning.weight_decay",
        "network.gamma",
        "network.initialisation",
        "network.output_precision",
        "network.parameterisation",
        "seed",
    }
)
"""Options that change numbers only, not what is compiled."""
DECAY = "inference.activity_decay"
"""This one changes what is compiled only where it is 0."""


def shape_of(experiment: Experiment) -> tuple[Any, ...]:
    """Everything of an experiment that is compiled: experiments with equal shapes can be trained together."""
    values = flatten(experiment.model_dump())
    rest = (value for path, value in values.items() if path not in TRACED and path != DECAY)
    return (*rest, experiment.inference.activity_decay > 0)
