"""The network view has no page of its own: it stands on others."""

from pcviz.ui.look import View

VIEWS: dict[str, View] = {}
