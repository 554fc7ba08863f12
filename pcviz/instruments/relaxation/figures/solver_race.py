"""Solver race: how fast each solver approaches the equilibrium, from the same start."""

from typing import Any, Literal

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.solvers import SOLVERS
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.relaxation.options import Options

XAxis = Literal["steps", "passes", "ms"]
X_TITLES: dict[XAxis, str] = {"steps": "steps", "passes": "gradient evaluations", "ms": "milliseconds of computing"}


def figure(experiment: Experiment, *, run: int = 0, solvers: list[str] | None = None, x: XAxis = "passes") -> go.Figure:
    """Total energy above the lowest found, logarithmic, against steps, gradient evaluations or milliseconds.

    `solvers` are those of the run, in reading order (default: the usual ones).
    """
    names = Options().compared(experiment) if solvers is None else solvers
    made = style.blank(
        margin=dict(t=40),
        xaxis=style.log_axis(title_text=X_TITLES[x], nticks=5, anchor="y2"),
        yaxis=style.log_axis(domain=[0.12, 1], title_text="energy above equilibrium", nticks=5),
        yaxis2=style.zero_strip(domain=[0, 0.07]),
    )
    for index, name in enumerate(names):
        label, colour, dash = SOLVERS[name].label, style.COLOURS[SOLVERS[name].colour], SOLVERS[name].dash
        excess = Traces(made, run, "relax", x=f"solver_{x}", y="solver_excess", index=index, colour=colour)
        hover = f"{label}<br>{X_TITLES[x]} %{{x:.4~g}}<br>excess %{{y:.3~g}}"
        excess.line(label, zero="omit", width=1.8, dash=dash, marker=dict(size=3.5, color=colour), hover=hover)
        excess.zeros(yaxis="y2", hover=f"{label}: the lowest energy found")
    return made


def panel(experiment: Experiment, **options: Any) -> Panel:
    """The panel on the Inference page; `options` are those of `figure`."""
    return Panel(
        name="solver-race",
        title="Solvers from the same start",
        figure=figure(experiment, **options),
        alt="Energy above the equilibrium of each solver, on a logarithmic axis, against "
        f"{X_TITLES[options.get('x', 'passes')]}.",
        help="Every solver starts at the feedforward point of the same batch. A gradient evaluation is one pass up and "
        "one pass down the network; milliseconds are computing time on this machine. The lowest energy found stands "
        "for the equilibrium (it is exact for linear networks with mse); the solver that found it is marked at 0.",
        csv=("solver_steps", "solver_passes", "solver_ms", "solver_excess"),
        idle="Press Relax to begin.",
        absent=experiment.network.facts.absent,
        waiting="The other solvers follow the relaxation …",
    )
