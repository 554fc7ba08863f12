"""Decision boundary: the output of a network with two inputs over the plane, with the training points."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style

SPAN = 2.3
"""Half the extent drawn before data arrive; inputs have variance 1. Without it axes of one scale collapse."""


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Output of class 2 minus output of class 1, diverging about 0, and the training points by class."""
    made = style.blank(
        margin=style.LEGEND, **style.plane_axes("input 1", "input 2", range=[-SPAN, SPAN], constrain="domain")
    )
    made.update_yaxes(scaleanchor="x")
    plane = Traces(made, run, "boundary")
    plane.map(
        "output",
        x="boundary_x",
        y="boundary_y",
        z="boundary",
        text=None,
        log=False,
        zmid=0,
        colorscale=style.DIVERGING,
        bar=style.colour_bar("class 2 − class 1"),
        hover="output %{z:.3~g}<br>(%{x:.2f}, %{y:.2f})",
    )
    points = plane.sharing(x="points_x", y="points_y", size=6)
    for label, symbol, colour in ((0, "circle", style.BLUE), (1, "triangle-up", style.VERMILLION)):
        name, members = f"class {label + 1}", dict(channel="points_class", equals=label)
        hover = f"{name}<br>(%{{x:.2f}}, %{{y:.2f}})"
        points.markers(name, where=members, symbol=symbol, colour=colour, edge=0.8, hover=hover)
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
    )
