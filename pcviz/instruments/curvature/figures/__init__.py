"""The panels of curvature."""

from pcviz.figures import panels_in

PANELS = panels_in(__name__, "activity-landscape", "weight-curvature", "saddle-gradient", "trust-region")
"""In reading order."""
