"""Relaxation map: where the energy is at each inference step, and how far the error has travelled down."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.figures.front import travel
from pcviz.figures.panel import LOG_STEPS


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
    steps = Traces(made, run, "relax", x="trace_steps")
    energies = steps.sharing(y=depth, z="energy_trace", transpose=True, yaxis="y2")
    bar = style.colour_bar("energy", x=0.905, xanchor="left", y=0, yanchor="bottom", nticks=5, len=0.75)
    energies.map("energy", bar=bar, hover="layer %{y}, step %{x}<br>energy %{customdata:.4~g}")
    energies.zero_map(hover="layer %{y}, step %{x}<br>exactly 0")
    fronts = steps.sharing(yaxis="y2", legend=True)
    front = fronts.sharing(y="front", hover="step %{x}: nothing below layer %{y}")
    front.line("front L - t", colour=style.VERMILLION, width=1.6, dash="dash")
    signal = fronts.sharing(y="predicted_front", hover="step %{x}: signal down to layer %{y}")
    signal.line("signal above rounding (theory)", colour=style.SKY, width=1.8, dash="dot")
    steps.total_energy(width=2, legend=False)
    steps.equilibrium_energy(colour=style.GREEN, width=1.6)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Inference page."""
    layers = experiment.network.depth
    inference, lines = experiment.inference, ""
    if inference.has_front:
        lines = " Dashed: that front."
        if inference.facts.rate == "plain":
            lines += " Dotted: how far a signal above rounding travels in a chain of scalars."
    return Panel(
        name="relaxation-map",
        title="One relaxation",
        figure=figure(experiment, run=run),
        alt=f"Heat map of the energy of {layers} layers against the inference step, with the front of the error, and "
        "the total energy above it.",
        help=f"Each column is one inference step, layer 1 at the bottom. {travel(inference)}{lines} "
        "Above: the total energy, and the lowest that a solver found.",
        csv=("trace_steps", "energy_trace", "total_energy_trace", "update_rms", "predicted_error"),
        idle="Press Relax to begin.",
        cursor="trace_steps",
        toggles=(LOG_STEPS,),
    )
