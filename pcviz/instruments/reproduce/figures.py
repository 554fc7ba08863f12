"""Inference budget: how many iterations each solver needs as networks get deeper, beside the reported numbers."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.solvers import SOLVERS as FACTS
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.reproduce.options import REPORTED, SOLVERS, Options

CURVES = {
    "condition_number": ("condition number", style.mixed(style.TEXT, 0.6), "cross"),
    **{
        name: (FACTS[name].label, style.COLOURS[FACTS[name].colour], symbol)
        for name, symbol in zip(SOLVERS, ("circle", "square", "diamond", "star", "hexagon"), strict=True)
    },
}
"""Name, colour and symbol of each curve, in the order of the channels' dimension B."""
BELOW = 0.24
"""How far below the measured exponent the reported one stands, in rows."""
FOLLOWING = "Exponents follow from networks of two depths or more."


def budgets(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """Median budgets against depth, both logarithmic, with the fitted power law of each solver."""
    depths = (options or Options()).chosen.depths
    made = style.blank(
        margin=dict(t=44),
        xaxis=dict(
            type="log", title_text="depth L", tickmode="array", tickvals=depths, ticktext=list(map(str, depths))
        ),
        yaxis=style.log_axis(title_text="iterations, κ", dtick=1) | dict(tickmode="linear"),
    )
    for index, (label, colour, symbol) in enumerate(CURVES.values()):
        solver = Traces(made, run, "reproduce", x="budget_depths", index=index, legendgroup=label, colour=colour)
        solver.line(label, y="budget_fit", width=1.4, dash="solid" if index else "dot", legend=False)
        hover = f"{label}<br>L = %{{x}}: %{{y:,.4~g}}"
        solver.markers(label, y="budget", symbol=symbol, size=12 - index, hover=hover)  # equal ones stay visible
        if index:
            hover = f"{label}<br>L = %{{x}}: not within %{{y:,}}"
            beyond = solver.sharing(y="budget_above_cap", legend=False, hover=hover)
            beyond.markers(label, symbol="triangle-up-open", size=9)
    return made


def exponents(experiment: Experiment | None = None, *, run: int = 0, options: Options | None = None) -> go.Figure:
    """The exponent of each solver with its interval; below it, open, the reported one."""
    made = style.blank(
        margin=dict(t=32, l=112),
        xaxis=dict(title_text="exponent p of L", range=[-0.25, 2.75]),
        yaxis=dict(
            range=[len(CURVES) - 0.4, -0.6], tickmode="array", tickvals=list(range(len(CURVES))),
            ticktext=[label for label, _, _ in CURVES.values()], showgrid=False,
        ),
    )  # fmt: skip
    colours = [colour for _, colour, _ in CURVES.values()]
    traces = Traces(made, run, "reproduce")
    for index, colour in enumerate(colours):
        interval = traces.sharing(x="budget_interval", index=index, legendgroup="interval", legend=not index)
        hover = "95 % interval ends at %{x:.2f}"
        interval.line("95 % interval", y=[index, index], colour=colour, width=2, opacity=0.5, hover=hover)
    traces.markers(
        "measured here",
        x="budget_exponent",
        y=list(range(len(CURVES))),
        mode="markers+text",
        colour=colours,
        symbol=[symbol for _, _, symbol in CURVES.values()],
        size=10,
        texttemplate="%{x:.2f}",
        textposition="top center",
        hover="%{x:.3f}",
    )
    reported = [(row, REPORTED[name]) for row, name in enumerate(CURVES) if name in REPORTED]
    traces.markers(
        "reported",
        x=[found.exponent for _, found in reported],
        y=[row + BELOW for row, _ in reported],
        error_x=dict(
            array=[found.high - found.exponent for _, found in reported],
            arrayminus=[found.exponent - found.low for _, found in reported],
            color=style.TEXT, thickness=1.2, width=3,
        ),
        colour=style.TEXT,
        symbol="circle-open",
        size=8,
        hover="reported: %{x:.2f}",
    )  # fmt: skip
    return made


def budget_panel(experiment: Experiment | None = None, **options: Any) -> Panel:
    """The panel of iterations on the Landscape page; `options` are those of `budgets`."""
    return Panel(
        name="inference-budget",
        title="Iterations to the equilibrium",
        figure=budgets(experiment, **options),
        alt="Median iterations until the energy is held near the equilibrium, for each solver, and the condition "
        "number, against depth, both logarithmic, with fitted power laws.",
        help="The first step from which the excess energy stays within 1 % of the initial one: the median over the "
        "networks measured so far (docs/methods.md 4). Lines are power laws c Lᵖ with the exponents beside. Triangles "
        "stand at the cap within which the median network did not arrive. The condition number κ is that of inference "
        "at the start: gradient descent is expected to grow as κ, Nesterov as √κ.",
        csv=("budget_depths", "budget", "budget_above_cap", "budget_fit"),
        idle="Press Start to measure how inference slows down as networks get deeper.",
        waiting="The first network is being measured …",
        note="relaxations that did not arrive within their cap: {budget_not_arrived}",
        bare=True,
    )


def exponent_panel(experiment: Experiment | None = None, **options: Any) -> Panel:
    """The panel of exponents on the Landscape page; `options` are those of `exponents`."""
    return Panel(
        name="budget-exponents",
        title="Exponents in depth",
        figure=exponents(experiment, **options),
        alt="The exponent of iterations in depth for each solver, with its interval, beside the reported ones.",
        help="p in iterations = c Lᵖ, by least squares on logarithms over the networks that arrived, with one c for "
        "each width and activation, and its 95 % interval, which may reach beyond the axis: the three networks of the "
        "quick protocol are a trial, not a result. Reported are steps until test accuracy nears backprop's (relu, "
        "N = 32, MNIST): another quantity, whose scaling should be the same (docs/theory.md 4.10).",
        csv=("budget_exponent", "budget_interval"),
        idle=FOLLOWING,
        waiting=FOLLOWING,
        bare=True,
    )


PANELS: dict[str, Callable[..., Panel]] = {"inference-budget": budget_panel, "budget-exponents": exponent_panel}
"""In reading order."""
