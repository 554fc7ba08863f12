"""Activity spectrum: the curvatures that decide which step sizes are stable and how long a relaxation takes."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style

POWERS = range(-12, 4)
GROWTH = (
    "How κ grows with depth depends on the network: with skips like the square of the depth under μPC and NTP, faster "
    "under SP; without skips it levels off under SP."
)


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Histogram of the eigenvalues of the activity Hessian, both axes logarithmic; vertical lines at its ends and,
    where the solver has one in the activities, at the curvature above which the experiment's step size diverges."""
    made = style.blank(
        meta=style.decades(counts=("yaxis",)),
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
        yaxis=style.count_axis(title_text="eigenvalues"),
        yaxis9=style.unit_axis(),
    )
    traces = Traces(made, run, "relax")
    traces.bars(
        "eigenvalues",
        x="curvature_bins",
        y="curvature_counts",
        colour=style.BLUE,
        legend=False,
        hover="λ ≈ 10<sup>%{x:.2f}</sup>: %{y} eigenvalues",
    )
    lines = [("λ min", "curvature_min", style.ORANGE, "dash"), ("λ max", "curvature_max", style.GREEN, "dash")]
    solver = experiment.inference.facts
    if solver.bound and solver.space == "activities":
        lines.append((f"{solver.bound}/η: unstable beyond", "stable_curvature", style.VERMILLION, "solid"))
    ends = traces.sharing(y=[0, 1], yaxis="y9", transform="log10", zero="omit")
    for name, channel, colour, dash in lines:
        hover = f"{name}: %{{customdata:.4~g}}"
        ends.line(name, x=channel, text=channel, colour=colour, width=1.8, dash=dash, hover=hover)
    traces.hold_place()
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    facts = experiment.inference.facts
    stable = f"On a quadratic energy {facts.label} is stable for steps below {facts.limit}"
    if facts.bound and facts.space == "activities":
        stable += f", that is while every curvature stays left of {facts.bound}/η."
    elif facts.limit:
        stable += ", where curvatures are those in the errors, from 1 to κ in errors, not those drawn here."
    else:
        stable = f"{facts.label} scales each unit by itself: no curvature bounds its step."
    limit = f"step size limit {facts.limit} {{step_limit:g3}} · slowest mode × {{contraction:g6}} a step · "
    return Panel(
        name="activity-spectrum",
        title="Spectrum and step size",
        figure=figure(experiment, run=run),
        alt="Histogram of the curvatures of the energy in the activities, with the step-size limit.",
        help="How steep the energy is in each direction of activity space, at the feedforward start, for the first "
        f"example. {stable} Descent in the activities takes longest along the flattest direction, λmin: the ratio "
        f"κ = λmax/λmin says how much longer plain descent takes there. {GROWTH}",
        csv=("curvature_bins", "curvature_counts"),
        idle="Press Relax to begin.",
        waiting="Counting eigenvalues …",
        absent=experiment.network.facts.absent,
        note=(limit if facts.limit else "") + "κ {condition_number:g3}",
    )
