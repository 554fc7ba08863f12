"""Gradient norm against distance to the saddle at the origin, for the loss and for the equilibrated energy."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style

LINES = (
    ("loss", "ray_loss_gradient", style.BLUE, "solid", "circle"),
    ("F*", "ray_energy_gradient", style.VERMILLION, "dash", "diamond"),
)


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Norm of the gradient along the straight line from the origin to the weights, both axes logarithmic."""
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.log_axis(title_text="distance from the origin ‖W‖", nticks=5),
        yaxis=style.log_axis(title_text="gradient norm", nticks=6),
    )
    ray = Traces(made, run, "curvature", x="ray_distance", zero="omit", width=1.8)
    for name, channel, colour, dash, symbol in LINES:
        marker = dict(symbol=symbol, size=7, color=colour)
        hover = f"{name}: gradient %{{y:.3~g}} at distance %{{x:.3~g}}"
        ray.line(name, y=channel, colour=colour, dash=dash, marker=marker, hover=hover)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Landscape page."""
    depth = experiment.network.depth
    saddle = (
        "Along the straight line from the origin, a saddle, to the current weights. A curve's slope is the order "
        f"of the saddle: without skips the loss's gradient falls like the distance to the power {depth - 1} (L - 1), "
        "so that learning that begins near the origin stands still; the gradient of F* falls like the distance itself "
        "(slope 1) at every depth. With skips the loss falls with slope 1 as well."
    )
    slope = (
        "Along the straight line from the origin, where weights and biases are zero, to the current weights. With "
        "biases the origin is no saddle, unless the mean output error is zero there: the output's biases have a slope, "
        "to which both curves level off."
    )
    return Panel(
        name="saddle-gradient",
        title="Gradient near the saddle",
        figure=figure(experiment, run=run),
        alt="Norm of the gradients of loss and F* against the distance from the origin of weight space.",
        help=slope if experiment.network.biases else saddle,
        csv=("ray_distance", "ray_loss_gradient", "ray_energy_gradient"),
        idle="Press Compute to begin.",
        waiting="Measuring gradients along the line …",
        note="weights at distance {weight_norm:g3}",
    )
