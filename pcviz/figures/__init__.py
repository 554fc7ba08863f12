"""What all figures share: colours and axes, bindings of channels to traces, panels."""

from pcviz.figures.bindings import Binding, bindings
from pcviz.figures.panel import Panel, Toggle

__all__ = ["Binding", "Panel", "Toggle", "bindings"]
