"""The panels of the family."""

from pcviz.figures import panels_in

PANELS = panels_in(__name__, "family-growth", "family-exponents", "family-map")
"""In reading order."""
