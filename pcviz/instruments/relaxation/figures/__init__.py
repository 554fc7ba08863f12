"""The panels of a relaxation."""

from collections.abc import Callable

from pcviz.figures import Panel
from pcviz.instruments.relaxation.figures import (
    activity_spectrum,
    bp_alignment,
    depth_profiles,
    relaxation_map,
    solver_race,
)

PANELS: dict[str, Callable[..., Panel]] = {
    "relaxation-map": relaxation_map.panel,
    "depth-profiles": depth_profiles.panel,
    "solver-race": solver_race.panel,
    "activity-spectrum": activity_spectrum.panel,
    "bp-alignment": bp_alignment.panel,
}
"""In reading order."""
