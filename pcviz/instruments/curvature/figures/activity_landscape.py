"""Inference landscape: the energy over the steepest and the flattest direction of activity space, with the solver."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel
from pcviz.instruments.curvature.options import GRID


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """One example's energy above its equilibrium, coloured by the logarithm; the path of the experiment's solver with
    its start and end; the equilibrium.

    The axes are not to one scale: a quadratic bowl has the same energy in the middle of all edges.
    """
    made = style.blank(
        margin=style.LEGEND,
        xaxis=dict(title_text="steepest direction (distance from equilibrium)", showgrid=False, nticks=7),
        yaxis=dict(title_text="flattest direction", showgrid=False, nticks=7),
    )
    plane = dict(run=run, x="activity_plane_x", y="activity_plane_y")
    surface = plane | dict(z="activity_plane")
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name="energy above equilibrium",
        colorscale=style.CIVIDIS,
        colorbar=style.colour_bar("energy above F*"),
        zsmooth=False,
        hoverongaps=False,
        hovertemplate="energy + %{customdata:.4~g}<br>steepest %{x:.3~g}, flattest %{y:.3~g}<extra></extra>",
        meta=_meta(**surface, text="activity_plane", transform="log10", zero="omit"),
    )
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name="equal to equilibrium",
        colorscale=[[0, style.ZERO], [1, style.ZERO]],
        showscale=False,
        hoverongaps=False,
        hovertemplate="energy of the equilibrium<extra></extra>",
        meta=_meta(**surface, zero="only"),
    )
    path = dict(run=run, x="activity_path_x", y="activity_path_y", text="activity_path_steps")
    beyond = dict(run=run, x="activity_beyond_x", y="activity_beyond_y", text="activity_beyond_steps")
    for name, channels, dash in (("if it went on", beyond, "dot"), ("path", path, "solid")):
        for colour, width in (("#ffffff", 4.5), ("#000000", 1.8)):
            made.add_scatter(
                x=[],
                y=[],
                mode="lines",
                name=name,
                showlegend=False,
                line=dict(color=colour, width=width, dash=dash if width < 2 else "solid"),
                hovertemplate=f"{name}: inference step %{{customdata}}<extra></extra>" if width < 2 else None,
                hoverinfo="skip" if width > 2 else None,
                meta=_meta(**channels),
            )
    # The start is larger: where a path hardly moves, its end must not hide it.
    marks: tuple[tuple[str, str, int, str, dict[str, Any], int], ...] = (
        ("equilibrium", "star", 12, style.ORANGE, plane, GRID // 2),
        ("start", "circle", 15, style.SKY, path, 0),
        ("end", "diamond", 9, style.VERMILLION, path, -1),
    )
    for name, symbol, size, colour, where, index in marks:
        hover = f"{name}: inference step %{{customdata}}" if "text" in where else name
        made.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=name,
            marker=dict(symbol=symbol, size=size, color=colour, line=dict(color="#ffffff", width=1.6)),
            cliponaxis=False,
            hovertemplate=f"{hover}<extra></extra>",
            meta=_meta(**where, index=index),
        )
    return made


def _meta(**options: Any) -> dict[str, Any]:
    return Binding(kind="curvature", **options).meta()


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Landscape page."""
    return Panel(
        name="activity-landscape",
        title="Inference landscape",
        figure=figure(experiment, run=run),
        alt="Heat map of one example's energy over the steepest and the flattest direction of activity space, with the "
        "path of the solver from its start towards the equilibrium.",
        help="The energy of the first example around its equilibrium, along the eigenvectors of the activity Hessian "
        "with the largest and the smallest curvature. Mind the two scales: drawn to one scale, the valley would be √κ "
        "times as long as it is wide. A solver drops to the floor of the valley and then creeps along it: steps "
        "stable across it are κ times too small along it. Dotted: where the path would lead with up to 64 times the "
        "steps. The path is projected; the line above says how much of the way from start to equilibrium lies in this "
        "plane.",
        csv=(
            "activity_plane_x",
            "activity_plane_y",
            "activity_plane",
            "activity_path_steps",
            "activity_path_x",
            "activity_path_y",
            "activity_path_excess",
            "activity_beyond_steps",
            "activity_beyond_x",
            "activity_beyond_y",
        ),
        table="latest",
        idle="Press Compute to begin.",
        waiting="The example is brought to its equilibrium …",
        note="curvature {plane_curvature_max:g3} across, {plane_curvature_min:g3} along · κ {plane_condition:g3} · "
        "{plane_share:%0} of the way in this plane",
    )
