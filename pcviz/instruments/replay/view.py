"""A replay has no page of its own: the timeline above a training's panels asks for it (`pcviz/live/js/timeline.js`)."""

from pcviz.ui.look import View

VIEWS: dict[str, View] = {}
