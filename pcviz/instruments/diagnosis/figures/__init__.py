"""The panels of a diagnosis."""

from pcviz.figures import panels_in

PANELS = panels_in(__name__, "twin-scores", "twin-curves", "signals")
"""In reading order."""
