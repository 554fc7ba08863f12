"""Relaxation map: where the energy is at each inference step, and how far the error has travelled down."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.front import travel
from pcviz.figures.panel import LOG_STEPS, Panel


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Below: log10 of each layer's energy against the inference step, with the front that the error cannot be ahead of
    and the layer down to which theory expects a signal above rounding. Above: the total energy and its equilibrium."""
    layers = experiment.network.depth
    depth = list(range(1, layers + 1))
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.step_axis(
            experiment.relaxation_steps,
            domain=[0, 0.9],
            anchor="y2",
            title_text="inference step t",
            showgrid=False,
        ),
        yaxis=style.log_axis(domain=[0.8, 1], title_text="F"),
        yaxis2=style.layer_axis(layers, 6, domain=[0, 0.75], title_text="layer"),
    )
    common: dict[str, Any] = dict(x=[], y=depth, z=[], yaxis="y2", hoverongaps=False)
    bar = style.colour_bar("energy", x=0.905, xanchor="left", y=0, yanchor="bottom", nticks=5) | {"len": 0.75}
    made.add_heatmap(
        **common,
        name="energy",
        colorscale=style.CIVIDIS,
        colorbar=bar,
        hovertemplate="layer %{y}, step %{x}<br>energy %{customdata:.4~g}<extra></extra>",
        meta=_meta(run, z="energy_trace", text="energy_trace", transpose=True, transform="log10", zero="omit"),
    )
    made.add_heatmap(
        **common,
        name="exactly 0",
        colorscale=[[0, style.ZERO], [1, style.ZERO]],
        showscale=False,
        hovertemplate="layer %{y}, step %{x}<br>exactly 0<extra></extra>",
        meta=_meta(run, z="energy_trace", transpose=True, zero="only"),
    )
    line: dict[str, Any] = dict(x=[], y=[], yaxis="y2", mode="lines", showlegend=True)
    made.add_scatter(
        **line,
        name="front L - t",
        line=dict(color=style.VERMILLION, width=1.6, dash="dash"),
        hovertemplate="step %{x}: nothing below layer %{y}<extra></extra>",
        meta=_meta(run, y="front"),
    )
    made.add_scatter(
        **line,
        name="signal above rounding (theory)",
        line=dict(color=style.SKY, width=1.8, dash="dot"),
        hovertemplate="step %{x}: signal down to layer %{y}<extra></extra>",
        meta=_meta(run, y="predicted_front"),
    )
    made.add_scatter(
        x=[],
        y=[],
        mode="lines",
        name="total F",
        showlegend=False,
        line=dict(color=style.TEXT, width=2),
        hovertemplate="step %{x}: total F %{y:.6~g}<extra></extra>",
        meta=_meta(run, y="total_energy_trace", zero="omit"),
    )
    made.add_scatter(
        x=[],
        y=[],
        mode="lines",
        name="equilibrium F*",
        line=dict(color=style.GREEN, dash="dash", width=1.6),
        hovertemplate="equilibrium F* %{y:.6~g}<extra></extra>",
        meta=_meta(run, y="equilibrium_energy", zero="omit"),
    )
    return made


def _meta(run: int, **options: Any) -> dict[str, Any]:
    return Binding(run=run, kind="relax", x="trace_steps", **options).meta()


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    layers = experiment.network.depth
    inference, lines = experiment.inference, ""
    if inference.has_front:
        lines = " Dashed: that front."
        if inference.facts.rate == "plain":
            lines += " Dotted: how far a signal that is more than rounding comes by a chain of scalars."
    return Panel(
        name="relaxation-map",
        title="One relaxation",
        figure=figure(experiment, run=run),
        alt=f"Heat map of the energy of {layers} layers against the inference step, with the front of the error, and "
        f"the "
        "total energy above it.",
        help=f"Each column is one inference step, layer 1 at the bottom. {travel(inference)}{lines} "
        "Above: the total energy, and the lowest that a solver found.",
        csv=("trace_steps", "energy_trace", "total_energy_trace", "update_rms", "predicted_error"),
        table="latest",
        idle="Press Relax to begin.",
        cursor="trace_steps",
        toggles=(LOG_STEPS,),
    )
