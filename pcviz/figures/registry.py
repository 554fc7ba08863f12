"""Every live panel by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pcviz.experiment import Experiment
from pcviz.figures import (
    activity_convergence,
    activity_landscape,
    activity_spectrum,
    bp_alignment,
    chain_surface,
    decision_boundary,
    depth_profiles,
    energy_balance,
    escape_race,
    landscape,
    learning_curves,
    relaxation_map,
    saddle_gradient,
    solver_race,
    surfaces,
    trust_region,
    weight_curvature,
)
from pcviz.figures.panel import Panel

PANELS: dict[str, Callable[..., Panel]] = {
    "energy-balance": energy_balance.panel,
    "activity-convergence": activity_convergence.panel,
    "landscape": landscape.panel,
    "learning-curves": learning_curves.panel,
    "decision-boundary": decision_boundary.panel,
    "relaxation-map": relaxation_map.panel,
    "depth-profiles": depth_profiles.panel,
    "solver-race": solver_race.panel,
    "activity-spectrum": activity_spectrum.panel,
    "bp-alignment": bp_alignment.panel,
    "surface-loss": partial(surfaces.panel, kind="loss"),
    "surface-energy": partial(surfaces.panel, kind="energy"),
    "surface-ratio": surfaces.ratio_panel,
    "surface-3d": surfaces.space_panel,
    "walks": surfaces.walks_panel,
    "chain-surface": chain_surface.panel,
    "escape-race": escape_race.panel,
    "activity-landscape": activity_landscape.panel,
    "weight-curvature": weight_curvature.panel,
    "saddle-gradient": saddle_gradient.panel,
    "trust-region": trust_region.panel,
}

INFERENCE_PANELS = ("relaxation-map", "depth-profiles", "solver-race", "activity-spectrum", "bp-alignment")
"""Names of the panels of the Inference page, in reading order."""

PLANE_PANELS = ("surface-loss", "surface-energy", "surface-ratio", "walks", "surface-3d")
"""Those of the Landscape page's planes."""

CURVATURE_PANELS = ("activity-landscape", "weight-curvature", "saddle-gradient", "trust-region")
"""Names of the panels that a run of kind "curvature" feeds, in reading order."""


def panel(name: str, experiment: Experiment, **options: Any) -> Panel:
    """The panel `name` for an experiment; `options` are those of its figure. Raises KeyError for an unknown name."""
    return PANELS[name](experiment, **options)


def panels_for(experiment: Experiment) -> list[str]:
    """Names of the panels of the Train page: networks with two inputs and two classes also have a decision boundary."""
    facts = experiment.data.facts
    names = ["energy-balance", "activity-convergence", "landscape", "learning-curves"]
    return [*names, "decision-boundary"] if (facts.input_dim, facts.output_dim) == (2, 2) else names
