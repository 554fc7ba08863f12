"""The views of the Landscape page: one entry for each."""

from pcviz.ui.look import View
from pcviz.ui.views import chains, curvature, planes

VIEWS: dict[str, View] = {view.kind: view for view in (planes.VIEW, chains.VIEW, curvature.VIEW)}
"""By the kind of their runs, in reading order."""
