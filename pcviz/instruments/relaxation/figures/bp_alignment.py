"""Alignment with backpropagation: which layers already learn what backpropagation would teach them."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel

HOVER = "layer %{{y}}, step %{{x}}<br>{what} %{{customdata:.4~g}}<extra></extra>"


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Cosine (left) and norm ratio (right) of the weight gradients of PC and backpropagation: layer by inference
    step."""
    layers = experiment.network.depth
    depth = list(range(1, layers + 1))
    steps = experiment.relaxation_steps
    axis: dict[str, Any] = dict(
        type="log",
        tickmode="linear",
        dtick="D2" if steps <= 100 else 1,  # 1, 2, 5, 10, … or powers of ten
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
    maps: tuple[tuple[str, str, str, dict[str, Any], dict[str, Any]], ...] = (
        ("alignment_cosine", "cosine", "x", dict(zmin=-1, zmax=1, colorscale=[list(p) for p in style.DIVERGING]), {}),
        ("alignment_ratio", "norm ratio", "x2", dict(colorscale=style.CIVIDIS), dict(transform="log10", zero="omit")),
    )
    for channel, what, x, colours, how in maps:
        y = x.replace("x", "y")
        place = 0.385 if x == "x" else 0.905
        made.add_heatmap(
            x=[],
            y=depth,
            z=[],
            xaxis=x,
            yaxis=y,
            name=what,
            colorbar=style.colour_bar("", x=place, xanchor="left", nticks=5),
            hovertemplate=HOVER.format(what=what),
            hoverongaps=False,
            meta=_meta(run, z=channel, text=channel, transpose=True, **how),
            **colours,
        )
        made.add_heatmap(
            x=[],
            y=depth,
            z=[],
            xaxis=x,
            yaxis=y,
            name="no gradient",
            colorscale=[[0, style.ZERO], [1, style.ZERO]],
            showscale=False,
            hovertemplate="layer %{y}, step %{x}<br>no gradient: exactly 0<extra></extra>",
            hoverongaps=False,
            meta=_meta(run, z="alignment_ratio", transpose=True, zero="only"),
        )
        made.add_annotation(
            text=f"{what} of PC and BP gradients" if x == "x" else "norm of PC over BP",
            x=0 if x == "x" else 0.54,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font=dict(size=style.FONT_SIZE),
        )
    return made


def _meta(run: int, **options: Any) -> dict[str, Any]:
    return Binding(run=run, kind="relax", x="alignment_steps", **options).meta()


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    layers = experiment.network.depth
    return Panel(
        name="bp-alignment",
        title="PC against backprop",
        figure=figure(experiment, run=run),
        alt=f"Cosine and norm ratio of the weight gradients of predictive coding and backpropagation for {layers} "
        f"layers "
        "against the inference step.",
        help="Were the weights updated after t inference steps: does each layer's gradient point where "
        "backpropagation's "
        "does (cosine 1), and how large is it? Grey: no gradient yet, exactly 0. A cosine near 1 with a tiny norm is a "
        "layer that would learn the right thing, too late. Equilibrium need not be 1: where layers are many and "
        "narrow, "
        "predictive coding is another rule than backpropagation.",
        csv=("alignment_steps", "alignment_cosine", "alignment_ratio"),
        table="latest",
        idle="Press Relax to begin.",
        cursor="trace_steps",
        cursor_axes=("xaxis", "xaxis2"),
        note="after the last step: cosine of all weights {alignment_total:g3}",
    )
