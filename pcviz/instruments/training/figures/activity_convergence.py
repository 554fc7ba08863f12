"""Activity convergence: what one relaxation does, layer by layer, on the latest batch."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.figures.front import travel
from pcviz.figures.panel import LOG_STEPS

STEP = "inference step"


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Energy and size of the activity update of each layer against the inference step; at the right both over depth,
    at the step that the panel's slider chooses. Lines up to 32 layers, heat maps above."""
    few = experiment.network.depth <= style.LINES_MOST
    made = _lines(experiment, run) if few else _maps(experiment, run)
    made.update_layout(yaxis9=style.unit_axis())
    steps = Traces(made, run, x="trace_steps")
    steps.total_energy(width=2.6)
    steps.line(row="scrub", y=[0, 1], yaxis="y9", colour=style.TEXT, width=1, dash="dot", legend=False)
    if experiment.network.has_closed_form:
        steps.equilibrium_energy(colour=style.VERMILLION, width=1.8)
    return made


def _lines(experiment: Experiment, run: int) -> go.Figure:
    layers = experiment.network.depth
    colours = style.depth_colours(layers)
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.step_axis(experiment.inference_steps, domain=[0, 0.64], anchor="y4", title_text=STEP),
        xaxis2=style.layer_axis(layers, 5, domain=[0.68, 1], anchor="y4", title_text="layer at step t"),
        yaxis=style.log_axis(domain=[0.5, 1], title_text="energy"),
        yaxis2=style.zero_strip(domain=[0.425, 0.485]),
        yaxis3=style.log_axis(domain=[0.075, 0.38], title_text="rms update"),
        yaxis4=style.zero_strip(domain=[0, 0.06]),
    )
    rows = (("energy_trace", "E", "y", "y2", layers), ("update_rms", "update", "y3", "y4", layers - 1))
    for channel, label, axis, zero_axis, count in rows:
        bound = Traces(made, run, y=channel, yaxis=axis, legend=False)
        steps = bound.sharing(x="trace_steps")
        for index, colour in enumerate(colours[:count]):
            hover = f"layer {index + 1}, step %{{x}}<br>{label} %{{y:.4~g}}"
            steps.line(f"layer {index + 1}", index=index, zero="omit", colour=colour, width=1.3, hover=hover)
        hover = "step %{x}: %{customdata} layers exactly 0"
        steps.zeros("exactly 0", text=channel, yaxis=zero_axis, size=4.5, hover=hover)
        profile = bound.sharing(x=list(range(1, count + 1)), row="scrub", xaxis="x2")
        marker = dict(color=colours[:count], size=6 if layers <= 20 else 4.5)
        hover = f"layer %{{x}}<br>{label} %{{customdata:.4~g}}"
        profile.line(text=channel, zero="omit", colour=style.GRID, width=1, marker=marker, hover=hover)
        profile.zeros(yaxis=zero_axis, size=4.5, hover="layer %{x}<br>exactly 0")
    return made


def _maps(experiment: Experiment, run: int) -> go.Figure:
    layers = experiment.network.depth
    left, bar, strip, right = [0, 0.56], 0.565, [0.735, 0.77], [0.785, 1]
    made = style.blank(
        margin=style.LEGEND,
        meta=style.decades("xaxis4", "xaxis6"),
        xaxis=style.step_axis(experiment.inference_steps, domain=left, anchor="y3", title_text=STEP, showgrid=False),
        xaxis4=style.decade_axis(domain=right, anchor="y2", showticklabels=True),
        xaxis5=style.zero_strip(domain=strip, anchor="y2"),
        xaxis6=style.decade_axis(domain=right, anchor="y3", title_text="at step t"),
        xaxis7=style.zero_strip(domain=strip, anchor="y3"),
        yaxis=style.log_axis(domain=[0.8, 1], title_text="F"),
        yaxis2=style.layer_axis(layers, 4, domain=[0.36, 0.75], title_text="layer"),
        yaxis3=style.layer_axis(layers - 1, 3, domain=[0, 0.25], title_text="layer"),
    )
    rows = (
        ("energy_trace", "energy", "y2", "x4", "x5", layers, 0.36, 0.39),
        ("update_rms", "update", "y3", "x6", "x7", layers - 1, 0.0, 0.25),
    )
    for channel, label, axis, profile_axis, zero_axis, count, bottom, height in rows:
        bound = Traces(made, run, y=list(range(1, count + 1)), yaxis=axis)
        steps = bound.sharing(x="trace_steps", z=channel, transpose=True)
        place = dict(x=bar, xanchor="left", y=bottom, yanchor="bottom", len=height, nticks=3)
        hover = f"layer %{{y}}, step %{{x}}<br>{label} %{{customdata:.4~g}}"
        steps.map(label, bar=style.colour_bar(label, **place), hover=hover)
        steps.zero_map(hover="layer %{y}, step %{x}<br>exactly 0")
        profile = bound.sharing(x=channel, row="scrub", legend=False)
        hover = "layer %{y}<br>%{customdata:.4~g}"
        profile.line(text=channel, zero="omit", xaxis=profile_axis, colour=style.BLUE, width=1.6, hover=hover)
        profile.zeros(xaxis=zero_axis, size=4, hover="layer %{y}<br>exactly 0")
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
        scrub="trace_steps",
        waiting="Waiting for the first relaxation …",
        absent="Backpropagation has no relaxation: its activities are those of the forward pass." if backprop else None,
        toggles=(LOG_STEPS,),
    )
