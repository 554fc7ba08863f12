"""The panels of curvature."""

from collections.abc import Callable

from pcviz.figures import Panel
from pcviz.instruments.curvature.figures import (
    activity_landscape,
    saddle_gradient,
    trust_region,
    weight_curvature,
)

PANELS: dict[str, Callable[..., Panel]] = {
    "activity-landscape": activity_landscape.panel,
    "weight-curvature": weight_curvature.panel,
    "saddle-gradient": saddle_gradient.panel,
    "trust-region": trust_region.panel,
}
"""In reading order."""
