"""Chain surface: the loss and the equilibrated energy of a chain of scalars in the plane of its last two weights."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding, Where
from pcviz.figures.panel import Panel
from pcviz.instruments.chain.options import FLOW_TIME, POINT_TYPES, POWER, SPAN, Options

SURFACES = {"loss": "loss (BP)", "energy": "energy F* (PC)"}
LEAST = -2.5
"""Colours end here, in decades: below, it is a minimum."""
MARKS: tuple[dict[str, Any], ...] = (
    dict(symbol="circle", size=8, color=style.SKY),
    dict(symbol="x", size=12, color="#000000"),
    dict(symbol="square", size=10, color=style.PURPLE),
)
"""How each of POINT_TYPES is marked."""
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def weight(number: int) -> str:
    """w_number as a person writes it: "w₂"."""
    return f"w{number}".translate(SUBSCRIPTS)


def figure(
    experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None, log: bool = True
) -> go.Figure:
    """Both surfaces with shared axes and colours: maps with contours, descent, critical points by type.

    `options` are those of the run. `log` colours by the logarithm, for the minima are decades below the corners.
    """
    options = options or Options()
    x, y = (weight(number) for number in options.drawn)
    most = POWER / 2 * (1 + SPAN**2 * abs(options.fixed) ** (options.hidden - 1)) ** 2
    ends = dict(zmin=LEAST, zmax=math.log10(most)) if log else dict(zmin=0.0, zmax=most)
    side = dict(range=[-SPAN, SPAN], showgrid=False, constrain="domain")
    made = style.blank(
        margin=dict(t=44, l=46),
        xaxis=dict(domain=[0, 0.48], title_text=x, **side),
        yaxis=dict(title_text=y, scaleanchor="x", **side),
        xaxis2=dict(domain=[0.52, 1], anchor="y2", title_text=x, matches="x", **side),
        yaxis2=dict(anchor="x2", matches="y", showticklabels=False, **side),
    )
    for place, (name, title) in enumerate(SURFACES.items()):
        axes = dict(xaxis="x2", yaxis="y2") if place else {}
        _surface(made, run, name, axes, ends, log)
        _descent(made, run, name, axes)
        _flow(made, run, name, axes)
        _points(made, run, name, axes)
        made.add_annotation(
            text=title, showarrow=False, xref=f"x{place + 1 or ''} domain" if place else "x domain", x=0.5,
            yref="y2 domain" if place else "y domain", y=1, yanchor="bottom", font=dict(size=12),
        )  # fmt: skip
    return made


def _surface(made: go.Figure, run: int, name: str, axes: dict[str, Any], ends: dict[str, float], log: bool) -> None:
    label = "loss" if name == "loss" else "F*"
    channel = f"chain_{name}"
    scale: dict[str, Any] = dict(transform="log10", zero="omit") if log else {}
    bound = dict(kind="chain", run=run, x="chain_axis", y="chain_axis", z=channel, **scale)
    # Both maps have the same colours; the second one shows them.
    bar = dict(colorbar=style.colour_bar("loss, F*", nticks=9)) if axes else dict(showscale=False)
    made.add_heatmap(
        x=[],
        y=[],
        z=[],
        name=label,
        colorscale=style.CIVIDIS,
        zsmooth=False,
        hoverongaps=False,
        hovertemplate=f"{label} %{{customdata:.4~g}}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
        meta=Binding(**bound, text=channel).meta(),
        **ends,
        **bar,
        **axes,
    )
    saddle = math.log10(POWER / 2) if log else POWER / 2
    between = 0.15 if log else 0.25
    below = math.floor((saddle - ends["zmin"]) / between)
    made.add_contour(
        x=[],
        y=[],
        z=[],
        name=label,
        showlegend=False,
        showscale=False,
        hoverinfo="skip",
        autocontour=False,
        # One line passes through the saddle.
        contours=dict(coloring="none", start=saddle - below * between, end=ends["zmax"], size=between),
        line=dict(color="rgba(255,255,255,0.55)", width=0.8),
        meta=Binding(**bound).meta(),
        **axes,
    )


def _descent(made: go.Figure, run: int, name: str, axes: dict[str, Any]) -> None:
    for colour, width in (("#ffffff", 2.6), ("#000000", 1.1)):
        made.add_scatter(
            x=[],
            y=[],
            mode="lines",
            showlegend=False,
            line=dict(color=colour, width=width),
            connectgaps=False,
            hoverinfo="skip",
            meta=Binding(kind="chain", run=run, x=f"chain_arrows_{name}_x", y=f"chain_arrows_{name}_y").meta(),
            **axes,
        )


def _flow(made: go.Figure, run: int, name: str, axes: dict[str, Any]) -> None:
    for colour, width in (("#ffffff", 4.0), (style.VERMILLION, 2.0)):
        made.add_scatter(
            x=[],
            y=[],
            mode="lines",
            name=f"gradient flow, t = {FLOW_TIME:g}",
            legendgroup="flow",
            showlegend=width < 3 and not axes,
            line=dict(color=colour, width=width),
            connectgaps=False,
            hoverinfo="skip",
            meta=Binding(kind="chain", run=run, x=f"chain_flow_{name}_x", y=f"chain_flow_{name}_y").meta(),
            **axes,
        )


def _points(made: go.Figure, run: int, name: str, axes: dict[str, Any]) -> None:
    for code, (label, mark) in enumerate(zip(POINT_TYPES, MARKS, strict=True)):
        made.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=label,
            legendgroup=label,
            showlegend=not axes,
            marker=dict(line=dict(color="#ffffff", width=1.5), **mark),
            hovertemplate=f"{label}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
            meta=Binding(
                kind="chain",
                run=run,
                x="chain_critical_x",
                y="chain_critical_y",
                where=Where(channel=f"chain_type_{name}", equals=code),
            ).meta(),
            **axes,
        )


def panel(
    experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None, log: bool = True
) -> Panel:
    """The panel on the Landscape page; `options` are those of the run."""
    options = options or Options()
    units = "1 hidden unit" if options.hidden == 1 else f"{options.hidden} hidden units"
    held = [weight(number) for number in range(1, options.hidden)]
    others = ", ".join(held) if len(held) < 3 else f"{held[0]} … {held[-1]}"
    where = f", {others} = {options.fixed:g}" if others else ""
    return Panel(
        name="chain-surface",
        title=f"A chain with {units}{where}",
        figure=figure(experiment, run=run, options=options, log=log),
        alt="Two heat maps over the last two weights of a chain of scalars, side by side: the loss and the "
        "equilibrated energy, with lines of gradient flow, arrows of steepest descent, and critical points by type.",
        help="A linear chain with one unit in each layer learns y = -x. Both surfaces have the same minima, but PC's "
        "is the loss divided by S = 1 + Σ g², where g are the products of the weights above each unit: around the "
        "saddle it falls away along the last weight, however deep the chain; the loss becomes flatter with every unit. "
        "Types follow from the Hessian over all weights: a saddle is strict if it has a negative eigenvalue, "
        "degenerate if it has none. Arrows point down, longer where the slope in this plane is steeper, up to a limit; "
        "all lines of gradient flow take the same time, so that a short one is slow.",
        csv=(
            "chain_axis",
            "chain_loss",
            "chain_energy",
            "chain_critical_x",
            "chain_critical_y",
            "chain_type_loss",
            "chain_type_energy",
        ),
        table="latest",
        idle="Press Start to draw the surfaces.",
        waiting="The surfaces come first …",
        note="least curvature in the middle: loss {chain_curvature_loss:g3}, F* {chain_curvature_energy:g3}",
    )
