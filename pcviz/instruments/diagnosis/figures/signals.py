"""Signals: what reaches the layers, after the compared weight steps."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.diagnosis.evidence import END


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Above: the cosine of each layer's gradient with backpropagation's. Below: rms of errors and gradients."""
    layers = experiment.network.depth
    depth = list(range(1, layers + 1))
    marker = dict(size=5) if layers <= style.LINES_MOST else None
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.layer_axis(layers, 9, anchor="y3", title_text="layer"),
        yaxis=dict(domain=[0.72, 1], title_text="cosine", range=[-1.05, 1.05], nticks=3),
        yaxis2=style.log_axis(domain=[0.1, 0.66], title_text="rms", nticks=5),
        yaxis3=style.zero_strip(domain=[0, 0.06]),
    )
    traces = Traces(made, run, "diagnose", x=depth, index=END)

    def size(name: str, channel: str, **look: object) -> None:
        hover = f"layer %{{x}}<br>{name} %{{customdata:.4~g}}"
        traces.line(name, y=channel, text=channel, zero="omit", yaxis="y2", hover=hover, **look)

    size("rounding", "vital_floor", colour=style.GRID, width=1, fill="tozeroy", fillcolor=style.ZERO)
    size("error", "vital_error", colour=style.ROLES["error"], width=2, marker=marker)
    size("gradient", "vital_gradient", colour=style.ROLES["weights"], width=1.8, marker=marker)
    size("backprop's", "vital_backprop", colour=style.ROLES["delta"], width=1.6, dash="dash")
    traces.line(
        "cosine",
        y="vital_cosine",
        colour=style.TEXT,
        width=1.8,
        marker=marker,
        legend=False,
        hover="layer %{x}<br>cosine with backprop %{y:.3f}",
    )
    traces.zeros(y="vital_error", yaxis="y3", hover="layer %{x}<br>error exactly 0")
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Diagnose page."""
    return Panel(
        name="signals",
        title="What reaches the layers",
        figure=figure(experiment, run=run),
        alt=f"For layers 1 to {experiment.network.depth}: cosine of the weight gradients with backpropagation's, and "
        "the sizes of errors and gradients.",
        help="One batch after the compared weight steps. Above: whether the gradient of each layer points where "
        "backpropagation's does. Below: how large errors and gradients are; inside the grey band errors are nothing "
        "but rounding, and layers whose error is exactly 0 are marked underneath. An optimiser like Adam makes up for "
        "small gradients, but not for rounding.",
        csv=("vital_error", "vital_floor", "vital_gradient", "vital_backprop", "vital_cosine", "vital_ratio"),
        idle="Press Diagnose to begin.",
    )
