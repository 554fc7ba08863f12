from pcviz.figures import Panel

PANELS: dict[str, object] = {}
