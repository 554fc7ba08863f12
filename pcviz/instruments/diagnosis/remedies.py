"""Remedies in words."""

from typing import Any

from pcviz.experiment import Experiment, fields
from pcviz.experiment.labels import value_label
from pcviz.instruments.diagnosis.treatments import values_of


def remedy_text(experiment: Experiment, changes: dict[str, Any]) -> str:
    """Changes of an experiment: "Step size η 2 → 0.1, Solver Gradient descent → Momentum"."""
    now, titles = values_of(experiment), fields()
    return ", ".join(
        f"{titles[path].title} {value_label(path, now[path])} → {value_label(path, value)}"
        for path, value in changes.items()
    )
