"""Activity spectrum: the curvatures that decide which step sizes are stable and how long a relaxation takes."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.figures.panel import Panel

POWERS = range(-12, 4)


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Histogram of the eigenvalues of the activity Hessian, both axes logarithmic; vertical lines at its ends and at
    the curvature above which the experiment's step size diverges."""
    made = style.blank(
        margin=style.LEGEND,
        bargap=0,
        barcornerradius=0,
        # Bars of equal width need a linear axis: its numbers are logarithms, its labels are not.
        xaxis=dict(
            title_text="curvature λ (eigenvalue of the activity Hessian)",
            tickmode="array",
            tickvals=list(POWERS),
            ticktext=[f"10<sup>{k}</sup>" for k in POWERS],
        ),
        yaxis=style.log_axis(title_text="eigenvalues") | dict(tickmode="linear", dtick=1),
        yaxis9=dict(overlaying="y", range=[0, 1], visible=False, fixedrange=True, tickmode="auto"),
    )
    made.add_bar(
        x=[],
        y=[],
        name="eigenvalues",
        showlegend=False,
        marker=dict(color=style.BLUE, line=dict(width=0)),
        hovertemplate="λ ≈ 10<sup>%{x:.2f}</sup>: %{y} eigenvalues<extra></extra>",
        meta=_meta(run, x="curvature_bins", y="curvature_counts", zero="omit"),
    )
    lines = (
        ("λ min", "curvature_min", style.ORANGE, "dash"),
        ("λ max", "curvature_max", style.GREEN, "dash"),
        ("2/η: unstable beyond", "stable_curvature", style.VERMILLION, "solid"),
    )
    for name, channel, colour, dash in lines:
        made.add_scatter(
            x=[],
            y=[0, 1],
            yaxis="y9",
            mode="lines",
            name=name,
            line=dict(color=colour, width=1.8, dash=dash),
            hovertemplate=f"{name}: %{{customdata:.4~g}}<extra></extra>",
            meta=_meta(run, x=channel, text=channel, transform="log10", zero="omit"),
        )
    # plotly cannot place an axis before a trace on it holds a point, and the eigenvalues come last.
    made.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip")
    return made


def _meta(run: int, **options: Any) -> dict[str, Any]:
    return Binding(run=run, kind="relax", **options).meta()


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    return Panel(
        name="activity-spectrum",
        title="Spectrum and step size",
        figure=figure(experiment, run=run),
        alt="Histogram of the curvatures of the energy in the activities, with the step-size limit.",
        help="How steep the energy is in each direction of activity space, at the start, for the first example. "
        "Gradient "
        "descent is stable while every curvature stays left of 2/η, that is for steps below 2/λmax. The flattest "
        "direction "
        "λmin decides how long it takes: the ratio κ = λmax/λmin grows like the square of the depth.",
        csv=("curvature_bins", "curvature_counts"),
        table="latest",
        idle="Press Relax to begin.",
        waiting="Eigenvalues are counted …",
        note="step size limit 2/λmax {step_limit:g3} · κ {condition_number:g3} · "
        "slowest mode × {contraction:g6} a step",
    )
