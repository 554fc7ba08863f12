"""Chain surface: the loss and the equilibrated energy of a chain of scalars in the plane of its last two weights."""

import math
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.chain.options import FLOW_TIME, POINT_TYPES, POWER, SPAN, Options

SURFACES = {"loss": "loss (BP)", "energy": "energy F* (PC)"}
LEAST = -2.5
"""Lower end of the colours, in decades; what lies below belongs to a minimum."""
MARKS: tuple[dict[str, Any], ...] = (
    dict(symbol="circle", size=8, color=style.SKY),
    dict(symbol="x", size=12, color="#000000"),
    dict(symbol="square", size=10, color=style.PURPLE),
)
"""How each of POINT_TYPES is marked."""
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def weight(number: int) -> str:
    """w_number as displayed: "w₂"."""
    return f"w{number}".translate(SUBSCRIPTS)


def figure(
    experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None, log: bool = True
) -> go.Figure:
    """Both surfaces with shared axes and colours: maps with contours, descent, critical points by type.

    `options` are those of the run. `log` colours by the logarithm, because the minima are decades below the corners.
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
    for second, (name, title) in enumerate(SURFACES.items()):
        traces = Traces(made, run, "chain", **dict(xaxis="x2", yaxis="y2") if second else {})
        # Both maps have the same colours; the second one shows them.
        _surface(traces, name, ends, log, style.colour_bar("loss, F*", nticks=9) if second else None)
        traces.cased_line(x=f"chain_arrows_{name}_x", y=f"chain_arrows_{name}_y", width=1.1, casing=2.6)
        _flow(traces, name, legend=not second)
        _points(traces, name, legend=not second)
        place = dict(xref="x2 domain", yref="y2 domain") if second else dict(xref="x domain", yref="y domain")
        style.write(made, title, x=0.5, y=1, yanchor="bottom", font=dict(size=12), **place)
    return made


def _surface(traces: Traces, name: str, ends: dict[str, float], log: bool, bar: dict[str, Any] | None) -> None:
    label = "loss" if name == "loss" else "F*"
    surface = traces.sharing(x="chain_axis", y="chain_axis", z=f"chain_{name}")
    surface.map(label, log=log, bar=bar, hover=f"{label} %{{customdata:.4~g}}<br>(%{{x:.2f}}, %{{y:.2f}})", **ends)
    saddle = math.log10(POWER / 2) if log else POWER / 2
    between = 0.15 if log else 0.25
    below = math.floor((saddle - ends["zmin"]) / between)
    # One line passes through the saddle.
    heights = dict(start=saddle - below * between, end=ends["zmax"], size=between)
    surface.contours(label, opacity=0.55, log=log, autocontour=False, contours=heights)


def _flow(traces: Traces, name: str, legend: bool) -> None:
    flow = traces.sharing(x=f"chain_flow_{name}_x", y=f"chain_flow_{name}_y", legendgroup="flow", legend=legend)
    flow.cased_line(f"gradient flow, t = {FLOW_TIME:g}", colour=style.VERMILLION, width=2.0, casing=4.0)


def _points(traces: Traces, name: str, legend: bool) -> None:
    points = traces.sharing(x="chain_critical_x", y="chain_critical_y", legend=legend)
    for code, (label, mark) in enumerate(zip(POINT_TYPES, MARKS, strict=True)):
        of_type = points.sharing(where=dict(channel=f"chain_type_{name}", equals=code), legendgroup=label)
        marker = dict(line=dict(color=style.WHITE, width=1.5), **mark)
        of_type.markers(label, marker=marker, hover=f"{label}<br>(%{{x:.2f}}, %{{y:.2f}})")


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
        idle="Press Start to draw the surfaces.",
        waiting="The surfaces come first …",
        note="least curvature in the middle: loss {chain_curvature_loss:g3}, F* {chain_curvature_energy:g3}",
    )
