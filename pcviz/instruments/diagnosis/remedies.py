"""Remedies in words."""

from typing import Any

from pcviz.experiment import Experiment, fields
from pcviz.instruments.diagnosis.treatments import values_of


def remedy_text(experiment: Experiment, changes: dict[str, Any]) -> str:
    """Changes of an experiment: "Step size η 2 → 0.1, Solver gradient_descent → momentum"."""
    now, titles = values_of(experiment), fields()
    return ", ".join(f"{titles[path].title} {_shown(now[path])} → {_shown(value)}" for path, value in changes.items())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
