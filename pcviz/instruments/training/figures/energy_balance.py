"""Energy balance: where the energy sits, over training (heat map) and now (bars)."""

from __future__ import annotations

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel

MARK, ROOM = 12, 200
"""Greatest height of a mark of theory, and of all of them together, in pixels."""
HOVER = "layer %{y}, step %{x}<br>%{customdata:.4~g}<extra></extra>"


def energy_name(experiment: Experiment) -> str:
    """What the layer energies are: for backpropagation half the squared loss gradients -dLoss/dz."""
    return "½‖δ<sub>l</sub>‖²" if not experiment.learning.facts.relaxes else "E<sub>l</sub>"


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Left: log10 of each layer's energy against the weight step. Right: the energies now, on a logarithmic axis.

    Marks in the bars are what theory expects (docs/health.md). Layer 1 is at the bottom of both. Exact zeros have a
    colour of their own in the map and a marker row in the bars.
    """
    layers, name = experiment.network.depth, energy_name(experiment)
    depth = list(range(1, layers + 1))
    keep = style.maps_keep(layers)
    made = style.blank(
        meta=style.decades("xaxis2"),
        xaxis=style.step_axis(
            experiment.learning.steps, first=1, domain=[0, 0.44], title_text="weight step", showgrid=False
        ),
        xaxis2=style.decade_axis(domain=[0.76, 1], title_text=f"{name} now, | theory", anchor="y"),
        xaxis3=style.zero_strip(domain=[0.655, 0.7], anchor="y", ticktext=["0"], tickangle=0, showgrid=False),
        yaxis=style.layer_axis(layers, title_text="layer"),
        bargap=0.15 if layers <= 64 else 0,
        barcornerradius=0,
    )
    colour_bar = style.colour_bar("", x=0.445, xanchor="left")
    made.add_heatmap(
        y=depth,
        x=[],
        z=[],
        name=name,
        colorscale=style.CIVIDIS,
        colorbar=colour_bar,
        hovertemplate=HOVER,
        hoverongaps=False,
        meta=Binding(
            run=run,
            x="step_history",
            z="energy_history",
            text="energy_history",
            transform="log10",
            zero="omit",
            mode="append",
            keep=keep,
        ).meta(),
    )
    made.add_heatmap(
        y=depth,
        x=[],
        z=[],
        name="exactly 0",
        colorscale=[[0, style.ZERO], [1, style.ZERO]],
        showscale=False,
        hovertemplate="layer %{y}, step %{x}<br>exactly 0<extra></extra>",
        hoverongaps=False,
        meta=Binding(run=run, x="step_history", z="energy_history", zero="only", mode="append", keep=keep).meta(),
    )
    made.add_annotation(
        text="exactly 0",
        textangle=-90,
        x=0.65,
        xref="paper",
        xanchor="right",
        y=0.5,
        yref="paper",
        showarrow=False,
        font=dict(size=style.FONT_SIZE - 1),
    )
    made.add_bar(
        y=depth,
        x=[],
        xaxis="x2",
        orientation="h",
        name=f"{name} now",
        showlegend=False,
        marker=dict(color=style.BLUE, line=dict(width=0)),
        hovertemplate="layer %{y}<br>%{customdata:.6~g}<extra></extra>",
        meta=Binding(run=run, x="energy", text="energy", zero="omit").meta(),
    )
    made.add_scatter(
        y=depth,
        x=[],
        xaxis="x2",
        mode="markers",
        name="expected by theory",
        showlegend=False,
        marker=dict(
            symbol="line-ns", size=min(MARK, ROOM / layers), line=dict(width=2, color=style.VERMILLION), opacity=1
        ),
        hovertemplate="layer %{y}<br>theory expects %{customdata:.4~g}<extra></extra>",
        meta=Binding(run=run, x="expected_energy", text="expected_energy", zero="omit").meta(),
    )
    made.add_scatter(
        y=depth,
        x=[],
        xaxis="x3",
        mode="markers",
        name="exactly 0",
        showlegend=False,
        marker=style.zero_marker(),
        cliponaxis=False,
        hovertemplate="layer %{y}<br>exactly 0<extra></extra>",
        meta=Binding(run=run, x="energy", zero="only").meta(),
    )
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Train page."""
    layers, backprop = experiment.network.depth, not experiment.learning.facts.relaxes
    what = "Half the squared loss gradient of each layer" if backprop else "The energy of each layer"
    errors = " Errors are δ = -dLoss/dz." if backprop else ""
    return Panel(
        name="energy-balance",
        title="Energy balance",
        figure=figure(experiment, run=run),
        alt=f"{what}, layers 1 to {layers}: heat map over the weight steps, bars of the latest, both logarithmic.",
        help=f"{what} on the latest batch, layer 1 (next to the input) at the bottom. Left: over training. Right: now; "
        "bars begin at the first power of ten below the least energy, and marks say what theory expects after T steps "
        "if every layer passes its error on unchanged: an error has come only so far down then, and little of it. "
        f"Layers that no error reached are marked exactly 0, never as a small value.{errors}",
        csv=("energy_history", "total_energy_history", "weight_change_history"),
    )
