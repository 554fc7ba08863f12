"""Presets: named starting points, each a set of differences from the default experiment."""

from dataclasses import dataclass
from typing import Any

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.rules import BASELINE


@dataclass(frozen=True)
class Preset:
    """A named experiment: what it shows, and how it differs from the default (field path -> value)."""

    label: str
    shows: str
    changes: dict[str, Any]

    @property
    def experiment(self) -> Experiment:
        """The whole experiment."""
        return from_paths(self.changes)


PRESETS: dict[str, Preset] = {
    "first": Preset("First look", "16 layers learn digits in seconds.", {}),
    "mupc-32": Preset("Deep and healthy", "32 hidden layers under μPC.", {"network.depth": 33}),
    "broken-32": Preset(
        "Deep and broken",
        "The same depth with standard parameters and no skips: hardly any error reaches the first layers.",
        {"network.depth": 33, "network.parameterisation": "sp", "network.skips": False},
    ),
    "mupc-128": Preset(
        "128 layers",
        "The depth of the μPC paper, trained in your browser.",
        {"network.depth": 129, "learning.steps": 150},
    ),
    "two-moons": Preset(
        "Two moons",
        "Watch the decision boundary bend.",
        {
            "data.name": "moons",
            "network.depth": 8,
            "network.width": 32,
            "network.activation": "tanh",
            "learning.steps": 500,
        },
    ),
    "backprop": Preset("Backprop", "The baseline, in the same panels.", {"learning.rule": BASELINE}),
}
