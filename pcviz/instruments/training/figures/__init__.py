"""The panels of a training."""

from pcviz.experiment import Experiment
from pcviz.figures import panels_in

PANELS = panels_in(
    __name__, "energy-balance", "activity-convergence", "landscape", "learning-curves", "decision-boundary"
)
"""In reading order."""


def panels_for(experiment: Experiment) -> list[str]:
    """Names of the panels for an experiment: only networks with two inputs and two classes have a boundary."""
    facts = experiment.data.facts
    plane = (facts.input_dim, facts.output_dim) == (2, 2)
    return [name for name in PANELS if plane or name != "decision-boundary"]
