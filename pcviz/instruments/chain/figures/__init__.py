"""The panels of the toy chains."""

from collections.abc import Callable

from pcviz.figures import Panel
from pcviz.instruments.chain.figures import (
    chain_surface,
    escape_race,
)

PANELS: dict[str, Callable[..., Panel]] = {
    "chain-surface": chain_surface.panel,
    "escape-race": escape_race.panel,
}
"""In reading order."""
