"""The live panels of all instruments, by name."""

from collections.abc import Callable
from typing import Any

from pcviz.experiment import Experiment
from pcviz.figures import Panel
from pcviz.instruments import gathered

PANELS: dict[str, Callable[..., Panel]] = gathered("figures", "PANELS")


def panel(name: str, experiment: Experiment, **options: Any) -> Panel:
    """The panel `name` for an experiment; `options` are those of its figure. Raises KeyError for an unknown name."""
    return PANELS[name](experiment, **options)
