"""Every live panel by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pcviz.experiment import Experiment
from pcviz.figures import activity_convergence, decision_boundary, energy_balance, landscape, learning_curves
from pcviz.figures.panel import Panel

PANELS: dict[str, Callable[..., Panel]] = {
    "energy-balance": energy_balance.panel,
    "activity-convergence": activity_convergence.panel,
    "landscape": landscape.panel,
    "learning-curves": learning_curves.panel,
    "decision-boundary": decision_boundary.panel,
}


def panel(name: str, experiment: Experiment, **options: Any) -> Panel:
    """The panel `name` for an experiment; `options` are those of its figure. Raises KeyError for an unknown name."""
    return PANELS[name](experiment, **options)


def panels_for(experiment: Experiment) -> list[str]:
    """Names of the panels of the Train page: networks with two inputs and two classes also have a decision boundary."""
    facts = experiment.data.facts
    names = ["energy-balance", "activity-convergence", "landscape", "learning-curves"]
    return [*names, "decision-boundary"] if (facts.input_dim, facts.output_dim) == (2, 2) else names
