"""The panels of a training."""

from collections.abc import Callable

from pcviz.experiment import Experiment
from pcviz.figures import Panel
from pcviz.instruments.training.figures import (
    activity_convergence,
    decision_boundary,
    energy_balance,
    landscape,
    learning_curves,
)

PANELS: dict[str, Callable[..., Panel]] = {
    "energy-balance": energy_balance.panel,
    "activity-convergence": activity_convergence.panel,
    "landscape": landscape.panel,
    "learning-curves": learning_curves.panel,
    "decision-boundary": decision_boundary.panel,
}
"""In reading order."""


def panels_for(experiment: Experiment) -> list[str]:
    """Names of the panels for an experiment: only networks with two inputs and two classes have a boundary."""
    facts = experiment.data.facts
    plane = (facts.input_dim, facts.output_dim) == (2, 2)
    return [name for name in PANELS if plane or name != "decision-boundary"]
