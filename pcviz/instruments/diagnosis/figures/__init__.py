from pcviz.figures import Panel
from collections.abc import Callable
PANELS: dict[str, Callable[..., Panel]] = {}
