from pcviz.ui.look import View
VIEWS: dict[str, View] = {}
