"""Trust region: predictive coding's weight step against the gradient's and the Gauss-Newton step, layer by layer."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style

Line = tuple[str, str, str, str, str]
COSINES: tuple[Line, ...] = (
    ("PC ∠ gradient", "pc_gradient_cosine", style.BLUE, "solid", "circle"),
    ("PC ∠ GN", "pc_newton_cosine", style.VERMILLION, "dash", "square"),
    ("GN ∠ gradient", "newton_gradient_cosine", style.GREEN, "dot", "triangle-up"),
)
LENGTHS: tuple[Line, ...] = (
    ("PC length", "pc_step", style.BLUE, "solid", "circle-open"),
    ("gradient length", "gradient_step", style.SKY, "dash", "square-open"),
    ("GN length", "newton_step", style.ORANGE, "dot", "triangle-up-open"),
)
"""Name, channel, colour, dash, symbol."""


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Above: cosines between the three steps in each layer's weights. Below: their lengths, logarithmic."""
    layers = experiment.network.depth
    made = style.blank(
        margin=dict(t=40),
        xaxis=style.layer_axis(layers, title_text="layer", anchor="y2"),
        yaxis=dict(domain=[0.56, 1], title_text="cosine", nticks=5, autorangeoptions=dict(include=[0, 1])),
        yaxis2=style.log_axis(domain=[0, 0.46], title_text="length", nticks=4),
    )
    steps = Traces(made, run, "curvature", x=list(range(1, layers + 1)), width=1.8)
    for lines, shared in ((COSINES, dict(yaxis="y")), (LENGTHS, dict(yaxis="y2", zero="omit"))):
        for name, channel, colour, dash, symbol in lines:
            marker = dict(symbol=symbol, size=6, color=colour) if layers <= style.LINES_MOST else None
            hover = f"layer %{{x}}<br>{name} %{{y:.4~g}}"
            steps.sharing(**shared).line(name, y=channel, colour=colour, dash=dash, marker=marker, hover=hover)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Landscape page."""
    return Panel(
        name="trust-region",
        title="Predictive coding as a trust region",
        figure=figure(experiment, run=run),
        alt="Cosines between the weight steps of predictive coding, gradient descent and Gauss-Newton in each layer, "
        "and the lengths of the steps.",
        help="Inference is a Newton step in the activities: from the feedforward point to the minimum of the energy's "
        "quadratic model, exactly so for linear networks with mse. What the weights learn there is the gradient of F*. "
        "It lies near the gradient of the loss for wide networks, and turns towards a step that uses curvature for "
        "deep and narrow ones. The Gauss-Newton step (GN) is damped by 1 % of the greatest curvature. Lengths are "
        "those of whole steps, without a learning rate.",
        csv=(
            "pc_gradient_cosine",
            "pc_newton_cosine",
            "newton_gradient_cosine",
            "pc_step",
            "gradient_step",
            "newton_step",
        ),
        idle="Press Compute to begin.",
        waiting="The Gauss-Newton step comes last …",
        note="all weights: PC and gradient {pc_gradient_total:g3}, length × {pc_gradient_ratio:g3} · PC and "
        "Gauss-Newton {pc_newton_total:g3} · inference and the activities' Newton step {activity_newton_cosine:g3}",
    )
