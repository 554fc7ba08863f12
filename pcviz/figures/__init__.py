"""Figures: pure functions from an experiment to a plotly figure; bindings say which channel feeds which trace."""

from pcviz.figures.bindings import Binding, bindings
from pcviz.figures.panel import Panel, Toggle
from pcviz.figures.registry import CURVATURE_PANELS, INFERENCE_PANELS, PANELS, PLANE_PANELS, panel, panels_for

__all__ = [
    "CURVATURE_PANELS",
    "INFERENCE_PANELS",
    "PANELS",
    "PLANE_PANELS",
    "Binding",
    "Panel",
    "Toggle",
    "bindings",
    "panel",
    "panels_for",
]
