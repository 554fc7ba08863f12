"""The panels of a training."""

from pcviz.figures import panels_in

PANELS = panels_in(
    __name__, "energy-balance", "activity-convergence", "landscape", "learning-curves", "decision-boundary"
)
"""In reading order."""
