"""Depth profiles: activities and errors of all layers at the step that the page's slider chooses."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Above: rms activity over depth. Below: rms error now, as predicted, at equilibrium, and the rounding floor."""
    layers = experiment.network.depth
    depth = list(range(1, layers + 1))
    few = layers <= style.LINES_MOST
    lowest = 1e-14 if experiment.dtype == "float32" else 1e-30  # predictions continue below the smallest numbers
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.layer_axis(layers, 9, anchor="y3", title_text="layer"),
        yaxis=dict(domain=[0.76, 1], title_text="rms z", rangemode="tozero", nticks=3),
        yaxis2=style.log_axis(domain=[0.1, 0.7], title_text="rms e", nticks=5, autorangeoptions=dict(clipmin=lowest)),
        yaxis3=style.zero_strip(domain=[0, 0.06]),
    )
    traces = Traces(made, run, "relax", x=depth)

    def error(name: str, channel: str, row: str | None = "scrub", **look: Any) -> None:
        hover = f"layer %{{x}}<br>{name} %{{customdata:.4~g}}"
        traces.line(name, y=channel, text=channel, row=row, zero="omit", yaxis="y2", hover=hover, **look)

    band = dict(fill="tozeroy", fillcolor=style.ZERO)
    error("rounding", "rounding_floor", None, colour=style.GRID, width=1, **band)
    error("at equilibrium", "equilibrium_error", None, colour=style.GREEN, width=1.6, dash="dash")
    error("predicted", "predicted_error", colour=style.SKY, width=1.8, dash="dot")
    # Many markers would make the slider slow: deep networks have lines alone.
    marker = dict(size=5) if few else None
    error("error now", "error_rms", colour=style.BLUE, width=2, marker=marker)
    now = traces.sharing(row="scrub", legend=False)
    activity = now.sharing(x=depth[:-1], y="activity_rms", hover="layer %{x}<br>activity %{y:.4~g}")
    activity.line("activity", colour=style.ORANGE, width=2, marker=marker)
    zeros = now.sharing(y="error_rms", yaxis="y3", hover="layer %{x}<br>error exactly 0")
    if few:
        zeros.zeros(size=5)
    else:
        zeros.line(zero="only", colour=style.TEXT, width=4, cliponaxis=False)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    layers = experiment.network.depth
    return Panel(
        name="depth-profiles",
        title="Over depth",
        figure=figure(experiment, run=run),
        alt=f"Rms activity and rms error of layers 1 to {layers} at a chosen inference step, with the predicted "
        "error, the error at equilibrium and the size of rounding.",
        help="The state at the step of the slider. Above: the size of the activities, which hardly move from a "
        "feedforward start. Below: the size of the errors, which are what the weights learn from. An error inside the "
        "grey band is nothing but rounding; layers whose error is exactly 0 are marked underneath. Green: where the "
        "errors end up at equilibrium. Dotted: what a chain of scalars with this network's gains predicts for gradient "
        "descent.",
        csv=("trace_steps", "activity_rms", "error_rms", "equilibrium_error", "rounding_floor"),
        scrub="trace_steps",
        idle="Press Relax to begin.",
    )
