"""Presets: named starting points, each a set of differences from the default experiment."""

from dataclasses import dataclass
from typing import Any, Literal

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.rules import BASELINE


@dataclass(frozen=True)
class Preset:
    """A named experiment: what it shows, how it differs from the default (field path -> value), and what the picture
    in the gallery is drawn from."""

    label: str
    shows: str
    changes: dict[str, Any]
    picture: Literal["energy", "boundary"] = "energy"

    @property
    def experiment(self) -> Experiment:
        """The whole experiment."""
        return from_paths(self.changes)


PRESETS: dict[str, Preset] = {
    "first": Preset("First look", "16 layers learn digits in seconds.", {}),
    "mupc-32": Preset("Deep and healthy", "32 hidden layers under μPC.", {"network.depth": 33}),
    "broken-32": Preset(
        "Deep and broken",
        "The same depth with standard parameters, no skips and few steps of plain gradient descent: hardly any error "
        "reaches the first layers.",
        {
            "network.depth": 33,
            "network.parameterisation": "sp",
            "network.skips": False,
            "inference.solver": "gradient_descent",
            "inference.steps": "depth",
            "inference.step_size": 0.3,
        },
    ),
    "mupc-128": Preset(
        "128 layers",
        "The depth of the μPC paper, trained in your browser: errors spike on their way down, and reach every layer.",
        {
            "network.depth": 129,
            "inference.step_size": 0.9,
            "inference.precision_schedule": "spiking",
            "learning.forward_update": True,
            "learning.steps": 150,
        },
    ),
    "errors-128": Preset(
        "128 layers, errors first",
        "The same depth in a fraction of the time: the errors are the variables. Each inference step passes the whole "
        "network, which is no longer local.",
        {
            "network.depth": 129,
            "inference.solver": "error_based",
            "inference.step_size": 0.05,
            "inference.steps": 8,
            "learning.learning_rate": 0.02,
            "learning.steps": 150,
        },
    ),
    "two-moons": Preset(
        "Two moons",
        "Watch the decision boundary bend.",
        {
            "data.name": "moons",
            "network.depth": 8,
            "network.width": 32,
            "network.activation": "tanh",
            "network.biases": True,
            "learning.learning_rate": 0.02,
            "learning.steps": 500,
        },
        picture="boundary",
    ),
    "backprop": Preset("Backprop", "The baseline, in the same panels.", {"learning.rule": BASELINE}),
}

HOME = from_paths(
    {
        "network.depth": 6,
        "inference.solver": "gradient_descent",
        "inference.step_size": 0.3,
        "inference.steps": 24,
        "dtype": "float64",
    }
)
"""The network of the Home page: small enough to be seen whole. In float64, so that the recording of its training is the
same on every machine to many digits."""
