"""Weight curvature: Hessian eigenvalues of loss and equilibrated energy, at the origin and at the current weights."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.cost import parameter_count
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.curvature.options import SPECTRUM_MAX, has_origin, place

POWERS = (-7, -5, -3, -1, 1, 3)
LOOKS: dict[str, tuple[str, str, str, str, float]] = {
    "loss": ("loss", style.BLUE, "", "circle", 0.3),
    "energy": ("F*", style.VERMILLION, "/", "diamond", 0.6),
}
"""Name, colour, pattern of the bars, symbol of the ends and their height."""


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Histograms on one axis for both signs, linear around zero and logarithmic beyond; ends of the spectra as points.

    Above at the origin (not for activations with a kink at zero, nor with biases), below at the weights.
    """
    both = has_origin(experiment)
    ticks = sorted((sign * 10.0**k, sign, k) for k in POWERS for sign in (-1, 1))
    made = style.blank(
        meta=style.decades(counts=("yaxis", "yaxis2") if both else ("yaxis",)),
        margin=style.LEGEND,
        barmode="group",
        bargap=0,
        barcornerradius=0,
        xaxis=dict(
            title_text="eigenvalue of the Hessian",
            tickmode="array",
            tickvals=[*(float(place(value)) for value, _, _ in ticks), 0],
            ticktext=[*(f"{'-' if sign < 0 else ''}10<sup>{k}</sup>" for _, sign, k in ticks), "0"],
            anchor="y",
        ),
        yaxis=style.count_axis(
            domain=[0, 0.42 if both else 1],
            title_text="at the weights",
            showticklabels=parameter_count(experiment) <= SPECTRUM_MAX,
        ),
        yaxis3=style.unit_axis(),
    )
    if both:
        made.update_layout(yaxis2=style.count_axis(domain=[0.56, 1], title_text="at the origin"))
        _bars(made, run, "origin_", "y2", True)
    _bars(made, run, "", "y", not both)
    ends = Traces(made, run, "curvature", yaxis="y3", width=1, dash="dot")
    for name, (label, colour, _, symbol, height) in LOOKS.items():
        bound = dict(x=f"{name}_end_places", y=[height, height], text=f"{name}_ends")
        marker = dict(symbol=symbol, size=9, color=colour, line=dict(color=style.GROUND, width=1.2))
        hover = f"{label}: %{{customdata:.4~g}}"
        ends.line(f"{label}: least and greatest", **bound, colour=colour, marker=marker, hover=hover)
    ends.hold_place()
    return made


def _bars(made: go.Figure, run: int, where: str, yaxis: str, legend: bool) -> None:
    counts = Traces(made, run, "curvature", x="eigenvalue_bins", text="eigenvalue_middles", yaxis=yaxis, legend=legend)
    for name, (label, colour, pattern, _, _) in LOOKS.items():
        hover = f"{label}: %{{y}} eigenvalues near %{{customdata:.2~g}}"
        bars = counts.sharing(y=f"{where}{name}_eigenvalues", legendgroup=name)
        bars.bars(label, colour=colour, pattern=_pattern(pattern), hover=hover)


def _pattern(shape: str) -> dict[str, Any]:
    return dict(shape=shape, size=5, solidity=0.35, fgcolor=style.WHITE, fillmode="overlay")


def _at_origin(experiment: Experiment) -> str:
    """What there is to see at the origin, or why there is nothing."""
    if has_origin(experiment):
        return (
            "Above, at the origin: without skips and with two or more hidden layers the loss is flat there, all its "
            "eigenvalues are 0, and gradient descent gets stuck; F* has negative ones at every depth, a way out."
        )
    if experiment.network.biases:
        return (
            "With biases the origin is no saddle, unless the mean output error is zero there: the output's biases have "
            "a slope."
        )
    return "At the origin this activation has a kink and the Hessian does not exist."


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Landscape page."""
    return Panel(
        name="weight-curvature",
        title="Curvature of the weights",
        figure=figure(experiment, run=run),
        alt="Eigenvalues of the Hessians of the loss and of the equilibrated energy F* in the weights, both signs on "
        "one axis.",
        help="How steep loss and F* are in each direction of weight space. F* is the energy that inference leaves, "
        "which predictive coding descends. Negative eigenvalues are directions in which a step of any sign goes down. "
        f"{_at_origin(experiment)} Points: least and greatest eigenvalue at the current weights; bars at the weights "
        f"are for small networks, up to {SPECTRUM_MAX:,} weights.",
        csv=(
            "eigenvalue_middles",
            "loss_eigenvalues",
            "energy_eigenvalues",
            "origin_loss_eigenvalues",
            "origin_energy_eigenvalues",
            "loss_ends",
            "energy_ends",
        ),
        idle="Press Compute to begin.",
        waiting="Searching for eigenvalues …",
        note="loss {loss_curvature_min:g3} to {loss_curvature_max:g3} · F* {energy_curvature_min:g3} to "
        "{energy_curvature_max:g3} · {weight_count:g6} weights, {curvature_examples} examples",
    )
