"""Twin curves: how the experiment learns beside its twins."""

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.diagnosis.twins import LABELS, TWINS, drawn

LOOKS = {
    "own": dict(colour=style.BLUE, width=2.2),
    "backprop": dict(colour=style.SKY, width=1.6, dash="dash"),
    "sound": dict(colour=style.GREEN, width=1.6, dash="dash"),
    "relaxed": dict(colour=style.ORANGE, width=1.6),
    "biased": dict(colour=style.PURPLE, width=1.6, dash="dot"),
}


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """Training loss by weight step, logarithmic, a line for each twin."""
    made = style.blank(
        margin=style.LEGEND,
        xaxis=style.step_axis(None, first=1, title_text="weight step"),
        yaxis=style.log_axis(title_text="training loss", nticks=5),
    )
    traces = Traces(made, run, "diagnose", x="curve_steps", y="twin_curve", zero="omit")
    for name in drawn(experiment):
        hover = f"{LABELS[name]}<br>step %{{x}}: %{{y:.4~g}}"
        traces.line(LABELS[name], index=TWINS.index(name), hover=hover, **LOOKS[name])
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Diagnose page."""
    return Panel(
        name="twin-curves",
        title="How they learn",
        figure=figure(experiment, run=run),
        alt="Training loss of this network and its twins by weight step, on a logarithmic axis.",
        help="The loss of each training batch before its weight step. Twins see the same batches in the same order.",
        csv=("curve_steps", "twin_curve"),
        idle="Press Diagnose to begin.",
        ended="This network made no finite weight step.",
    )
