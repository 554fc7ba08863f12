"""Loss landscape: the loss on a plane through the current weights, with the path of the run."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel


def figure(experiment: Experiment, *, run: int = 0, log: bool = True, energy: bool = False) -> go.Figure:
    """Loss (or F*, the energy at equilibrium) at the points of the grid that were computed (others stay blank), path,
    start and current weights.

    `log` colours by the logarithm, for a surface on a plane often spans decades. The path is cased in white, so that it
    reads on any colour.
    """
    made = style.blank(
        margin=style.LEGEND,
        xaxis=dict(title_text="direction 1 (weight distance)", showgrid=False),
        yaxis=dict(title_text="direction 2", showgrid=False),
    )
    name = "F*" if energy else "loss"
    plane = dict(kind="training_plane", run=run, x="landscape_x", y="landscape_y", z="landscape")
    scale: dict[str, Any] = dict(transform="log10", zero="omit") if log else {}
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name=name,
        colorscale=style.CIVIDIS,
        colorbar=style.colour_bar(name),
        zsmooth=False,
        hoverongaps=False,
        hovertemplate=f"{name} %{{customdata:.5~g}}<br>(%{{x:.3~g}}, %{{y:.3~g}})<extra></extra>",
        meta=Binding(**plane, text="landscape", **scale).meta(),
    )
    if log:
        made.add_heatmap(
            x=[],
            y=[],
            z=[],
            name="exactly 0",
            colorscale=[[0, style.ZERO], [1, style.ZERO]],
            showscale=False,
            hoverongaps=False,
            hovertemplate=f"{name} exactly 0<br>(%{{x:.3~g}}, %{{y:.3~g}})<extra></extra>",
            meta=Binding(**plane, zero="only").meta(),
        )
    path = dict(kind="training_plane", run=run, x="path_x", y="path_y")
    for colour, width in (("#ffffff", 4.5), ("#000000", 1.8)):
        made.add_scatter(
            x=[],
            y=[],
            mode="lines",
            name="path",
            showlegend=False,
            line=dict(color=colour, width=width),
            hovertemplate="step %{customdata}<extra></extra>" if width < 2 else None,
            hoverinfo="skip" if width > 2 else None,
            meta=Binding(**path, text="path_steps").meta(),
        )
    for name, place, symbol, colour in (("start", 0, "circle", style.SKY), ("now", -1, "diamond", style.VERMILLION)):
        made.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=name,
            marker=dict(symbol=symbol, size=11, color=colour, line=dict(color="#ffffff", width=2)),
            hovertemplate=f"{name}: step %{{customdata}}<extra></extra>",
            meta=Binding(**path, text="path_steps", index=place).meta(),
        )
    return made


def panel(experiment: Experiment, *, run: int = 0, log: bool = True, energy: bool = False) -> Panel:
    """The panel on the Train page."""
    words = "energy that is left once inference has settled" if energy else "feedforward training loss"
    return Panel(
        name="landscape",
        title="Landscape of F*" if energy else "Loss landscape",
        figure=figure(experiment, run=run, log=log, energy=energy),
        alt=f"Heat map of the {words} on a plane through the current weights, with the path of the run.",
        help=f"The {words}, on a plane through the current weights, and the run's path projected onto "
        "it. The line below says how much of the path the plane holds: a small share means that most of the movement "
        "happened outside of what you see. Blank cells are not computed yet.",
        csv=("landscape_x", "landscape_y", "landscape", "path_steps", "path_x", "path_y", "path_loss"),
        table="latest",
        waiting="The landscape follows once the run has begun.",
        note="{path_length:%0} of the path's length, {path_variance:%0} of its variance in this plane "
        "({plane_is_pca?principal|random} directions)",
    )
