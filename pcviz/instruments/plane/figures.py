"""Loss and equilibrated energy F* on one plane through the weights: each, their ratio, both in space, and walks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel
from pcviz.instruments.plane.options import DIRECTIONS, WALKS, Directions

SIDES = {
    "loss": ("landscape", "loss", "the loss"),
    "energy": ("landscape_energy", "F*", "the energy at the equilibrium of inference"),
}
"""Channel, short name and words of the two surfaces."""
TITLES = {"loss": "Loss: where backprop descends", "energy": "F*: where predictive coding descends"}
HELP = {
    "loss": "The mean feedforward loss of the probe examples.",
    "energy": "The energy that is left once inference has settled. By the envelope theorem its slope in the weights is "
    "what predictive coding learns from. For linear networks with mse F* = ½ rᵀS⁻¹r; for others it is relaxed until "
    "half its squared gradient in the errors is at most 10⁻⁶ of it. The line above tells the largest share that was "
    "left at a point; rounding, or kinks of the activation (hard tanh), can keep it above that. Kinks (relu, "
    "leaky relu, selu) can make several minima: it is the one that is reached from the feedforward state.",
}
LOOKS = ((style.ORANGE, "dash", "square"), (style.VERMILLION, "solid", "circle"))
"""Colour, dash and symbol of each walk."""


def _plane(run: int, z: str, **options: Any) -> dict[str, Any]:
    return Binding(kind="plane", run=run, x="landscape_x", y="landscape_y", z=z, **options).meta()


def _axes(log: bool) -> dict[str, Any]:
    return dict(transform="log10", zero="omit") if log else {}


def figure(experiment: Experiment, *, run: int = 0, log: bool = True, kind: str = "loss") -> go.Figure:
    """A surface with contours, arrows downhill, the path, and the walks from the point clicked."""
    channel, name, _ = SIDES[kind]
    made = style.blank(
        margin=style.LEGEND,
        hoverdistance=12,  # elsewhere the nearest trace is told; here a click means the point beneath it
        xaxis=dict(title_text="direction 1", showgrid=False),
        yaxis=dict(title_text="direction 2", showgrid=False),
    )
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
        meta=_plane(run, channel, text=channel, **_axes(log)),
    )
    made.add_contour(
        x=[],
        y=[],
        z=[],
        name="contours",
        contours_coloring="none",
        connectgaps=False,
        ncontours=12,
        line=dict(color="rgba(255,255,255,0.45)", width=0.8),
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
        meta=_plane(run, channel, **_axes(log)),
    )
    lines = dict(mode="lines", hoverinfo="skip")
    made.add_scatter(
        x=[],
        y=[],
        name="downhill",
        showlegend=False,
        line=dict(color="rgba(255,255,255,0.85)", width=1.1),
        meta=Binding(kind="plane", run=run, x=f"arrows_{kind}_x", y=f"arrows_{kind}_y").meta(),
        **lines,
    )
    path = Binding(kind="plane", run=run, x="path_x", y="path_y").meta()
    for colour, width in (("#ffffff", 4.5), ("#000000", 1.8)):
        made.add_scatter(
            x=[], y=[], name="path", showlegend=False, line=dict(color=colour, width=width), meta=path, **lines
        )
    made.add_scatter(
        x=[],
        y=[],
        mode="markers",
        name="weights",
        marker=dict(symbol="diamond", size=11, color=style.SKY, line=dict(color="#ffffff", width=2)),
        hovertemplate=f"weights: {name} %{{customdata:.5~g}}<extra></extra>",
        meta=Binding(kind="plane", run=run, x="path_x", y="path_y", text=f"path_{kind}", index=-1).meta(),
    )
    for (rule, label), (colour, dash, symbol) in zip(WALKS.items(), LOOKS, strict=True):
        made.add_scatter(
            x=[],
            y=[],
            name=label,
            line=dict(color=colour, width=2.4, dash=dash),
            meta=Binding(kind="walk", run=run, x=f"walk_{rule}_x", y=f"walk_{rule}_y").meta(),
            **lines,
        )
        made.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=f"{label} now",
            showlegend=False,
            marker=dict(
                symbol=symbol,
                size=9,
                color=colour,
                line=dict(color="#ffffff", width=1.5),
            ),
            hoverinfo="skip",
            meta=Binding(kind="walk", run=run, x=f"walk_{rule}_x", y=f"walk_{rule}_y", index=-1).meta(),
        )
    made.add_scatter(
        x=[],
        y=[],
        mode="markers",
        name="clicked",
        showlegend=False,
        marker=dict(symbol="x-thin", size=10, line=dict(color="#ffffff", width=2.5)),
        hoverinfo="skip",
        meta=Binding(kind="walk", run=run, x="walk_pc_x", y="walk_pc_y", index=0).meta(),
    )
    return made


def panel(
    experiment: Experiment, *, run: int = 0, log: bool = True, kind: str = "loss", directions: Directions = "random"
) -> Panel:
    """One of the two surfaces; `directions` of its plane are named beneath the title."""
    words = SIDES[kind][2]
    here = "loss {loss_here:g4} at the weights" if kind == "loss" else "F* {energy_here:g4} at the weights"
    if kind == "energy":
        exact = experiment.network.has_closed_form
        here += ", in closed form" if exact else ", relaxed to {energy_tolerance:g1}"
    return Panel(
        name=f"surface-{kind}",
        title=TITLES[kind],
        figure=figure(experiment, run=run, log=log, kind=kind),
        alt=f"Heat map of {words} on a plane through the weights, with contours, arrows downhill, and paths.",
        help=f"{HELP[kind]} Arrows point downhill on the picture, all of the same length. Click a point: backprop and "
        "predictive coding start there and take 60 weight steps each; what you see are their projections. Contours "
        "interpolate between computed points; blank cells are not computed, or overflow.",
        csv=("landscape_x", "landscape_y", SIDES[kind][0], "path_steps", "path_x", "path_y"),
        table="latest",
        idle="Press Survey to begin.",
        waiting="Waiting for the first points …",
        note=f"{here} · plane: {DIRECTIONS[directions]}",
        pick=True,
        link="plane",
    )


def ratio_figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Loss over F*: 1 where nothing is gained by inference; for linear networks between the eigenvalues of S."""
    made = style.blank(
        xaxis=dict(title_text="direction 1", showgrid=False), yaxis=dict(title_text="direction 2", showgrid=False)
    )
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name="ratio",
        colorscale=style.CIVIDIS,
        colorbar=style.colour_bar("loss / F*"),
        zsmooth=False,
        hoverongaps=False,
        hovertemplate="loss / F* %{customdata:.4~g}<br>(%{x:.3~g}, %{y:.3~g})<extra></extra>",
        meta=_plane(run, "landscape_ratio", text="landscape_ratio", transform="log10", zero="omit"),
    )
    return made


def ratio_panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """Their ratio."""
    return Panel(
        name="surface-ratio",
        title="Loss over F*",
        figure=ratio_figure(experiment, run=run),
        alt="Heat map of the ratio of loss and equilibrated energy on the plane.",
        help="How much of the loss inference takes away; never below 1/λ. For linear networks with mse F* = ½ rᵀS⁻¹r: "
        "the ratio lies between the least and the greatest eigenvalue of S. Where it is near 1/λ everywhere, as in "
        "wide networks, predictive coding is backprop.",
        csv=("landscape_x", "landscape_y", "landscape_ratio"),
        table="latest",
        idle="Press Survey to begin.",
        waiting="Waiting for the first points …",
    )


def space_figure(experiment: Experiment, *, run: int = 0, log: bool = True) -> go.Figure:
    """Both surfaces over the plane, F* beneath the loss."""
    grid = dict(show=True, color="rgba(255,255,255,0.35)", width=1)
    axis = dict(gridcolor=style.GRID, color=style.TEXT, backgroundcolor=style.CLEAR, showspikes=False)
    made = style.blank(
        margin=dict(l=0, r=0, t=24, b=0),
        scene=dict(
            xaxis=dict(title_text="direction 1", **axis),
            yaxis=dict(title_text="direction 2", **axis),
            zaxis=dict(title_text="height", type="log" if log else "linear", exponentformat="power", **axis),
            camera=dict(eye=dict(x=1.25, y=-1.25, z=0.8), center=dict(x=0, y=0, z=-0.12)),
            aspectratio=dict(x=1, y=1, z=0.8),
        ),
    )
    for (channel, name, _), colour in zip(SIDES.values(), (style.BLUE, style.ORANGE), strict=True):
        made.add_surface(
            x=[],
            y=[],
            z=[],
            name=name,
            showlegend=True,
            colorscale=[[0, colour], [1, colour]],
            showscale=False,
            contours=dict(x=grid, y=grid),
            lighting=dict(ambient=0.85, diffuse=0.35, specular=0.05, roughness=0.9),
            connectgaps=False,
            hovertemplate=f"{name} %{{z:.5~g}}<br>(%{{x:.3~g}}, %{{y:.3~g}})<extra></extra>",
            meta=_plane(run, channel, zero="omit" if log else None),
        )
    return made


def space_panel(experiment: Experiment, *, run: int = 0, log: bool = True) -> Panel:
    """Both in space."""
    return Panel(
        name="surface-3d",
        title="Both in space",
        figure=space_figure(experiment, run=run, log=log),
        alt="Two surfaces over the plane: the loss, and below it the equilibrated energy.",
        help="Drag to turn, scroll to come nearer; the view stays when new points arrive. F* never lies above λ times "
        "the loss.",
        csv=("landscape_x", "landscape_y", "landscape", "landscape_energy"),
        table="latest",
        idle="Press Survey to begin.",
        waiting="Waiting for the first points …",
        space=True,
    )


def walks_figure(experiment: Experiment, *, run: int = 0, log: bool = True) -> go.Figure:
    """Loss (solid) and F* (dotted) against weight steps for both rules."""
    y = style.log_axis(title_text="loss, F*") if log else dict(title_text="loss, F*")
    made = style.blank(
        margin=style.LEGEND, xaxis=style.step_axis(None, title_text="weight step from the point"), yaxis=y
    )
    for (rule, label), (colour, *_) in zip(WALKS.items(), LOOKS, strict=True):
        for height, name, dash in (("loss", "loss", "solid"), ("energy", "F*", "dot")):
            made.add_scatter(
                x=[],
                y=[],
                mode="lines",
                name=f"{label}: {name}",
                line=dict(color=colour, dash=dash, width=2),
                meta=Binding(kind="walk", run=run, x=f"walk_{rule}_steps", y=f"walk_{rule}_{height}").meta(),
            )
    return made


def walks_panel(experiment: Experiment, *, run: int = 0, log: bool = True) -> Panel:
    """How backprop and predictive coding fare from the point clicked."""
    return Panel(
        name="walks",
        title="From the point you click",
        figure=walks_figure(experiment, run=run, log=log),
        alt="Loss and equilibrated energy against weight steps, backpropagation and predictive coding from one point.",
        help="Both rules start from the clicked weights with fresh moments and see the same examples, all in each "
        "step, with the experiment's optimiser, learning rate and inference.",
        csv=tuple(f"walk_{rule}_{name}" for rule in WALKS for name in ("steps", "x", "y", "loss", "energy")),
        table="latest",
        idle="Press Survey, then click a point of a surface.",
        waiting="Click a point of a surface: both rules start there.",
        ended="Click a point of a surface: both rules start there.",
    )


PANELS: dict[str, Callable[..., Panel]] = {
    "surface-loss": partial(panel, kind="loss"),
    "surface-energy": partial(panel, kind="energy"),
    "surface-ratio": ratio_panel,
    "walks": walks_panel,
    "surface-3d": space_panel,
}
"""In reading order."""
