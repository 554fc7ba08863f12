"""Activity convergence: what one relaxation does, layer by layer, on the latest batch."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.front import travel
from pcviz.figures.panel import LOG_STEPS, Panel

STEP = "inference step"
LAYER_HOVER = "layer %{y}<br>%{customdata:.4~g}<extra></extra>"


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Energy and size of the activity update of each layer against the inference step; at the right both over depth,
    at the step that the panel's slider chooses. Lines up to 32 layers, heat maps above."""
    few = experiment.network.depth <= style.LINES_MOST
    made = _lines(experiment, run) if few else _maps(experiment, run)
    if experiment.network.has_closed_form:
        made.add_scatter(
            x=[],
            y=[],
            mode="lines",
            name="equilibrium F*",
            line=dict(color=style.VERMILLION, dash="dash", width=1.8),
            hovertemplate="equilibrium F* %{y:.6~g}<extra></extra>",
            meta=_binding(run, x="trace_steps", y="equilibrium_energy", zero="omit"),
        )
    return made


def _binding(run: int, **options: Any) -> dict[str, Any]:
    return Binding(run=run, **options).meta()


def _total(made: go.Figure, run: int) -> None:
    made.add_scatter(
        x=[],
        y=[],
        mode="lines",
        name="total F",
        line=dict(color=style.TEXT, width=2.6),
        hovertemplate="step %{x}: total F %{y:.6~g}<extra></extra>",
        meta=_binding(run, x="trace_steps", y="total_energy_trace", zero="omit"),
    )


def _scrub_line(made: go.Figure, run: int) -> None:
    """A vertical line at the slider's step, on an axis of its own from 0 to 1 over the energies."""
    made.add_scatter(
        x=[],
        y=[0, 1],
        yaxis="y9",
        mode="lines",
        line=dict(color=style.TEXT, width=1, dash="dot"),
        showlegend=False,
        hoverinfo="skip",
        meta=_binding(run, x="trace_steps", row="scrub"),
    )


def _lines(experiment: Experiment, run: int) -> go.Figure:
    layers = experiment.network.depth
    colours = style.depth_colours(layers)
    strip = dict(ticktext=["0"], showgrid=False)
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.step_axis(experiment.inference_steps, domain=[0, 0.64], anchor="y4", title_text=STEP),
        xaxis2=style.layer_axis(layers, 5, domain=[0.68, 1], anchor="y4", title_text="layer at step t"),
        yaxis=style.log_axis(domain=[0.5, 1], title_text="energy"),
        yaxis2=style.zero_strip(domain=[0.425, 0.485], **strip),
        yaxis3=style.log_axis(domain=[0.075, 0.38], title_text="rms update"),
        yaxis4=style.zero_strip(domain=[0, 0.06], **strip),
        yaxis9=dict(overlaying="y", range=[0, 1], visible=False, fixedrange=True, tickmode="auto"),
    )
    for channel, axis, zeros, count in (("energy_trace", "y", "y2", layers), ("update_rms", "y3", "y4", layers - 1)):
        label = "E" if channel == "energy_trace" else "update"
        for layer in range(1, count + 1):
            made.add_scatter(
                x=[],
                y=[],
                yaxis=axis,
                mode="lines",
                name=f"layer {layer}",
                showlegend=False,
                line=dict(color=colours[layer - 1], width=1.3),
                hovertemplate=f"layer {layer}, step %{{x}}<br>{label} %{{y:.4~g}}<extra></extra>",
                meta=_binding(run, x="trace_steps", y=channel, index=layer - 1, zero="omit"),
            )
        made.add_scatter(
            x=[],
            y=[],
            yaxis=zeros,
            mode="markers",
            name="exactly 0",
            showlegend=False,
            marker=style.zero_marker() | dict(size=4.5),
            cliponaxis=False,
            hovertemplate="step %{x}: %{customdata} layers exactly 0<extra></extra>",
            meta=_binding(run, x="trace_steps", y=channel, text=channel, zero="only"),
        )
        depth = list(range(1, count + 1))
        made.add_scatter(
            x=depth,
            y=[],
            xaxis="x2",
            yaxis=axis,
            mode="lines+markers",
            showlegend=False,
            line=dict(color=style.GRID, width=1),
            marker=dict(color=colours[:count], size=6 if layers <= 20 else 4.5),
            hovertemplate=f"layer %{{x}}<br>{label} %{{customdata:.4~g}}<extra></extra>",
            meta=_binding(run, y=channel, text=channel, row="scrub", zero="omit"),
        )
        made.add_scatter(
            x=depth,
            y=[],
            xaxis="x2",
            yaxis=zeros,
            mode="markers",
            showlegend=False,
            marker=style.zero_marker() | dict(size=4.5),
            cliponaxis=False,
            hovertemplate="layer %{x}<br>exactly 0<extra></extra>",
            meta=_binding(run, y=channel, row="scrub", zero="only"),
        )
    _total(made, run)
    _scrub_line(made, run)
    return made


def _maps(experiment: Experiment, run: int) -> go.Figure:
    layers = experiment.network.depth
    left, bar, strip, right = [0, 0.56], 0.565, [0.735, 0.77], [0.785, 1]
    zeros = dict(ticktext=["0"], showgrid=False)
    made = style.blank(
        margin=style.LEGEND,
        meta=style.decades("xaxis4", "xaxis6"),
        xaxis=style.step_axis(experiment.inference_steps, domain=left, anchor="y3", title_text=STEP, showgrid=False),
        xaxis4=style.decade_axis(domain=right, anchor="y2", showticklabels=True),
        xaxis5=style.zero_strip(domain=strip, anchor="y2", **zeros),
        xaxis6=style.decade_axis(domain=right, anchor="y3", title_text="at step t"),
        xaxis7=style.zero_strip(domain=strip, anchor="y3", **zeros),
        yaxis=style.log_axis(domain=[0.8, 1], title_text="F"),
        yaxis2=style.layer_axis(layers, 4, domain=[0.36, 0.75], title_text="layer"),
        yaxis3=style.layer_axis(layers - 1, 3, domain=[0, 0.25], title_text="layer"),
        yaxis9=dict(overlaying="y", range=[0, 1], visible=False, fixedrange=True, tickmode="auto"),
    )
    rows = (
        ("energy_trace", "energy", "y2", "x4", "x5", layers, 0.36, 0.39),
        ("update_rms", "update", "y3", "x6", "x7", layers - 1, 0.0, 0.25),
    )
    for channel, label, axis, profile, zero_axis, count, bottom, height in rows:
        depth = list(range(1, count + 1))
        place = dict(x=bar, xanchor="left", y=bottom, yanchor="bottom", len=height, nticks=3)
        hover = f"layer %{{y}}, step %{{x}}<br>{label} %{{customdata:.4~g}}<extra></extra>"
        made.add_heatmap(
            x=[],
            y=depth,
            z=[],
            yaxis=axis,
            name=label,
            colorscale=style.CIVIDIS,
            colorbar=style.colour_bar(label) | place,
            hovertemplate=hover,
            hoverongaps=False,
            meta=_binding(
                run, x="trace_steps", z=channel, text=channel, transpose=True, transform="log10", zero="omit"
            ),
        )
        made.add_heatmap(
            x=[],
            y=depth,
            z=[],
            yaxis=axis,
            name="exactly 0",
            colorscale=[[0, style.ZERO], [1, style.ZERO]],
            showscale=False,
            hovertemplate="layer %{y}, step %{x}<br>exactly 0<extra></extra>",
            hoverongaps=False,
            meta=_binding(run, x="trace_steps", z=channel, transpose=True, zero="only"),
        )
        made.add_scatter(
            x=[],
            y=depth,
            xaxis=profile,
            yaxis=axis,
            mode="lines",
            showlegend=False,
            line=dict(color=style.BLUE, width=1.6),
            hovertemplate=LAYER_HOVER,
            meta=_binding(run, x=channel, text=channel, row="scrub", zero="omit"),
        )
        made.add_scatter(
            x=[],
            y=depth,
            xaxis=zero_axis,
            yaxis=axis,
            mode="markers",
            showlegend=False,
            marker=style.zero_marker() | dict(size=4),
            cliponaxis=False,
            hovertemplate="layer %{y}<br>exactly 0<extra></extra>",
            meta=_binding(run, x=channel, row="scrub", zero="only"),
        )
    _total(made, run)
    _scrub_line(made, run)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Train page."""
    layers = experiment.network.depth
    how = "as lines" if layers <= style.LINES_MOST else "as heat maps"
    backprop = not experiment.learning.facts.relaxes
    return Panel(
        name="activity-convergence",
        title="Activity convergence",
        figure=figure(experiment, run=run),
        alt=f"Energy and rms activity update of {layers} layers against the inference step of the latest batch, "
        f"{how}, with the total energy and both quantities over depth at a chosen step.",
        help="One relaxation, on the latest batch: energy and rms update of each layer at every inference step. The "
        "thick line is the total energy F, which a good step size lowers until it is flat. Dark is layer 1, "
        f"light the last. {travel(experiment.inference)} "
        "Move the slider to see the profile over depth at one step.",
        csv=("trace_steps", "energy_trace", "update_rms", "total_energy_trace"),
        table="latest",
        scrub="trace_steps",
        waiting="Waiting for the first relaxation …",
        absent="Backpropagation has no relaxation: its activities are those of the forward pass." if backprop else None,
        toggles=(LOG_STEPS,),
    )
