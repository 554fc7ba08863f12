"""The measures of health on networks that learn and on ones that do not: `python -m benchmarks.health` prints the table
of docs/health.md (about six minutes on two cores).

`energy off theory` is of the first weight step and the last, `layers that learn` and `energy left` for the first.
"""

from __future__ import annotations

from typing import Any

from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.presets import PRESETS
from pcviz.frames import Frame
from pcviz.jobs.training import Training

DEEP = {"network.depth": 33}
PLAIN = {"network.parameterisation": "sp", "network.skips": False}
NO_SKIPS = {"network.skips": False}
SPIKING = {"inference.precision_schedule": "spiking", "inference.step_size": 0.5}
SMALL = {"network.depth": 8, "network.width": 32, "learning.steps": 500}

DESCENT = {"inference.solver": "gradient_descent", "inference.steps": "depth", "inference.step_size": 0.3}
"""The relaxation of all but presets: the fewest steps in which the error can reach every layer."""

DESCENDING: dict[str, dict[str, Any]] = {
    "16 layers": {},
    "33 layers": DEEP,
    "128 layers, plain": {"network.depth": 129, "learning.steps": 150},
    "tanh": {"network.activation": "tanh"},
    "linear": {"network.activation": "linear"},
    "selu": {"network.activation": "selu"},
    "gelu, 33 layers": {"network.activation": "gelu", **DEEP},
    "cross-entropy": {"network.loss": "ce"},
    "cross-entropy, 33 layers": {"network.loss": "ce", **DEEP},
    "float64": {"dtype": "float64"},
    "width 256, 8 layers": {"network.width": 256, "network.depth": 8},
    "iPC": {"learning.rule": "ipc"},
    "iPC, spiking": {"learning.rule": "ipc", **SPIKING},
    "spiking, forward update": {**SPIKING, "learning.forward_update": True},
    "decaying": {**SPIKING, "inference.precision_schedule": "decaying"},
    "error-based": {"inference.solver": "error_based"},
    "error-based, 33 layers": {"inference.solver": "error_based", **DEEP},
    "momentum": {"inference.solver": "momentum"},
    "output precision 100": {"network.output_precision": 100.0},
    "T = 2": {"inference.steps": 2},
    "T = 64": {"inference.steps": 64},
    "step size 0.01": {"inference.step_size": 0.01},
    "circles, gelu": {"data.name": "circles", "network.activation": "gelu", **SMALL},
    "spiral, silu": {"data.name": "spiral", "network.activation": "silu", **SMALL},
    "SP, skips, 8 layers": {"network.parameterisation": "sp", "network.depth": 8},
    "SP, skips, 16 layers": {"network.parameterisation": "sp"},
    "NTP, skips, 16 layers": {"network.parameterisation": "ntp"},
    "SP, no skips, 4 layers": {**PLAIN, "network.depth": 4},
    "NTP, no skips, 8 layers": {"network.parameterisation": "ntp", **NO_SKIPS, "network.depth": 8},
    "SP, no skips, 8 layers": {**PLAIN, "network.depth": 8},
    "SP, no skips, 16 layers": PLAIN,
    "NTP, no skips, 16 layers": {"network.parameterisation": "ntp", **NO_SKIPS},
    "NTP, no skips, 33 layers": {"network.parameterisation": "ntp", **NO_SKIPS, **DEEP},
    "μPC, no skips, 16 layers": NO_SKIPS,
    "μPC, no skips, 33 layers": {**NO_SKIPS, **DEEP},
    "Backprop, SP, no skips, 33 layers": {"learning.rule": "bp", **PLAIN, **DEEP},
    "error-based, SP, no skips, 33 layers": {"inference.solver": "error_based", **PLAIN, **DEEP},
    "learning rate 0.3": {"learning.learning_rate": 0.3},
    "learning rate 3": {"learning.learning_rate": 3.0},
    "learning rate 1e-6": {"learning.learning_rate": 1e-6},
    "SGD, learning rate 0.1": {"learning.optimiser": "sgd", "learning.learning_rate": 0.1},
    "SGD, learning rate 1": {"learning.optimiser": "sgd", "learning.learning_rate": 1.0},
    "step size 1": {"inference.step_size": 1.0},
    "step size 1.9": {"inference.step_size": 1.9},
}
"""Differences from 16 layers, μPC, skips, relu, digits, 200 weight steps, and the relaxation above."""
CASES = {
    **{preset.label: preset.changes for preset in PRESETS.values()},
    **{name: {**DESCENT, **changes} for name, changes in DESCENDING.items()},
}
"""Name -> differences from the default experiment."""
FOREVER = 1e9
COLUMNS = "network", "test accuracy", "off theory, first step", "last step", "layers that learn", "energy left"


def measured(experiment: Experiment) -> tuple[Frame, Frame]:
    """The frames after the first weight step and after the last."""
    training = Training(experiment)
    training.prepare()
    training.advance(1, FOREVER)
    first = training.frame(bulk=True)
    training.advance(experiment.learning.steps, FOREVER)
    return first, training.frame(bulk=True)


def row(name: str, experiment: Experiment) -> list[str]:
    """A line of the table."""
    first, last = (frame.values for frame in measured(experiment))
    left = f"{first['energy_left']:.3g}" if "energy_left" in first else "-"
    learning = f"{first['layers_learning']:.0f} of {first['layers_expected']:.0f}"
    off = [f"{values['energy_off_theory']:.1f}" for values in (first, last)]
    return [name, f"{last['test_accuracy']:.0%}", *off, learning, left]


def main() -> None:
    """Print the table, line by line."""
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for name, changes in CASES.items():
        print(f"| {' | '.join(row(name, from_paths(changes)))} |", flush=True)


if __name__ == "__main__":
    main()
