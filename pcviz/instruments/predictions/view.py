"""The predictions have no page of their own: they stand on others."""

from pcviz.ui.look import View

VIEWS: dict[str, View] = {}
