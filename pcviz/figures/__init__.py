"""What all figures share: colours and axes, traces and the channels that feed them, panels."""

from pcviz.figures.bindings import Binding, bindings
from pcviz.figures.panel import Choice, Panel, Toggle, panels_in
from pcviz.figures.traces import Traces

__all__ = ["Binding", "Choice", "Panel", "Toggle", "Traces", "bindings", "panels_in"]
