"""The panels of the toy chains."""

from pcviz.figures import panels_in

PANELS = panels_in(__name__, "chain-surface", "escape-race")
"""In reading order."""
