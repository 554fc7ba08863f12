"""Alignment with backpropagation: which layers already learn what backpropagation would teach them."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Cosine (left) and norm ratio (right) of the weight gradients of PC and backpropagation: layer by inference
    step."""
    layers = experiment.network.depth
    depth = list(range(1, layers + 1))
    axis: dict[str, Any] = dict(
        type="log",
        tickmode="linear",
        dtick="D2" if experiment.relaxation_steps <= 100 else 1,  # 1, 2, 5, 10, … or powers of ten
        title_text="inference step t",
        showgrid=False,
    )
    made = style.blank(
        xaxis=dict(domain=[0, 0.38], **axis),
        xaxis2=dict(domain=[0.54, 0.9], anchor="y2", **axis),
        yaxis=style.layer_axis(layers, 7, title_text="layer"),
        yaxis2=style.layer_axis(layers, 7, anchor="x2", showticklabels=False, matches="y"),
        margin=dict(t=22),
    )
    maps: tuple[tuple[str, str, str, str, float, dict[str, Any]], ...] = (
        ("cosine", "alignment_cosine", "x", "y", 0.385, dict(log=False, zmin=-1, zmax=1, colorscale=style.DIVERGING)),
        ("norm ratio", "alignment_ratio", "x2", "y2", 0.905, {}),
    )
    for what, channel, xaxis, yaxis, right, colours in maps:
        steps = Traces(made, run, "relax", x="alignment_steps", y=depth, xaxis=xaxis, yaxis=yaxis, transpose=True)
        bar = style.colour_bar("", x=right, xanchor="left", nticks=5)
        hover = f"layer %{{y}}, step %{{x}}<br>{what} %{{customdata:.4~g}}"
        steps.map(what, z=channel, bar=bar, hover=hover, **colours)
        hover = "layer %{y}, step %{x}<br>no gradient: exactly 0"
        steps.zero_map("no gradient", z="alignment_ratio", hover=hover)
    for text, x in (("cosine of PC and BP gradients", 0), ("norm of PC over BP", 0.54)):
        style.write(made, text, x=x, y=1, xanchor="left", yanchor="bottom")
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    layers = experiment.network.depth
    return Panel(
        name="bp-alignment",
        title="PC against backprop",
        figure=figure(experiment, run=run),
        alt="Cosine and norm ratio of the weight gradients of predictive coding and backpropagation for "
        f"{layers} layers against the inference step.",
        help="Were the weights updated after t inference steps: does each layer's gradient point where "
        "backpropagation's does (cosine 1), and how large is it? Grey: no gradient yet, exactly 0. A cosine near 1 "
        "with a tiny norm is a layer that would learn the right thing, too late. Equilibrium need not be 1: where "
        "layers are many and narrow, predictive coding differs from backpropagation.",
        csv=("alignment_steps", "alignment_cosine", "alignment_ratio"),
        idle="Press Relax to begin.",
        cursor="trace_steps",
        cursor_axes=("xaxis", "xaxis2"),
        note="after the last step: cosine of all weights {alignment_total:g3}",
    )
