"""Decision boundary: what a network with two inputs says over the plane, with the training points."""

from __future__ import annotations

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding, Where
from pcviz.figures.panel import Panel

SPAN = 2.3
"""Half the plane drawn before anything is known; inputs have variance 1. Axes of one scale collapse without it."""


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Output of class 2 minus output of class 1, diverging about 0, and the training points by class."""
    side = dict(range=[-SPAN, SPAN], showgrid=False, constrain="domain")
    made = style.blank(
        margin=style.LEGEND,
        xaxis=dict(title_text="input 1", **side),
        yaxis=dict(title_text="input 2", scaleanchor="x", **side),
    )
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name="output",
        zmid=0,
        zsmooth=False,
        hoverongaps=False,
        colorscale=style.DIVERGING,
        colorbar=style.colour_bar("class 2 − class 1"),
        hovertemplate="output %{z:.3~g}<br>(%{x:.2f}, %{y:.2f})<extra></extra>",
        meta=Binding(kind="boundary", run=run, x="boundary_x", y="boundary_y", z="boundary").meta(),
    )
    for label, symbol, colour in ((0, "circle", style.BLUE), (1, "triangle-up", style.VERMILLION)):
        made.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=f"class {label + 1}",
            marker=dict(symbol=symbol, size=6, color=colour, line=dict(color="#ffffff", width=0.8)),
            hovertemplate=f"class {label + 1}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
            meta=Binding(
                kind="boundary", run=run, x="points_x", y="points_y", where=Where(channel="points_class", equals=label)
            ).meta(),
        )
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel for data sets in the plane."""
    return Panel(
        name="decision-boundary",
        title="Decision boundary",
        figure=figure(experiment, run=run),
        alt="Heat map of the network's output over the input plane, class 1 against class 2, with the training points.",
        help="The difference of the two outputs at every point of the input plane: white is undecided. Circles and "
        "triangles are training points of class 1 and 2.",
        waiting="The boundary follows once the run has begun.",
        csv=("boundary_x", "boundary_y", "boundary", "points_x", "points_y", "points_class"),
        table="latest",
    )
