"""A replay has no panel of its own: it feeds those of the training."""

from collections.abc import Callable

from pcviz.figures import Panel

PANELS: dict[str, Callable[..., Panel]] = {}
