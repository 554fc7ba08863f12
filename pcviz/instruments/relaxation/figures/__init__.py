"""The panels of a relaxation."""

from pcviz.figures import panels_in

PANELS = panels_in(__name__, "relaxation-map", "depth-profiles", "solver-race", "activity-spectrum", "bp-alignment")
"""In reading order."""
