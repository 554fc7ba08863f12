"""Twin scores: how the experiment does beside its twins, and beside learners without depth."""

from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.diagnosis.channels import BASELINES
from pcviz.instruments.diagnosis.twins import LABELS, TWINS, drawn


def figure(experiment: Experiment, *, run: int = 0) -> go.Figure:
    """A bar each: test accuracy, or without classes the training loss."""
    classes = experiment.data.facts.task == "classification"
    twins = drawn(experiment)
    names = [*BASELINES, *(LABELS[name] for name in twins)][::-1]
    axis = dict(range=[0, 1.12], tickformat=".0%", title_text="test accuracy", nticks=6)
    made = style.blank(
        margin=dict(l=118, t=8),
        xaxis=axis if classes else dict(rangemode="tozero", title_text="loss", nticks=6),
        yaxis=dict(type="category", categoryorder="array", categoryarray=names, showgrid=False),
        barmode="overlay",
    )
    form = ".1%" if classes else ".3~g"
    traces = Traces(made, run, "diagnose", legend=False)
    rows = [
        (name, "baseline_accuracy" if classes else "baseline_loss", i, style.GRID) for i, name in enumerate(BASELINES)
    ]
    kind = "twin_accuracy" if classes else "twin_train_loss"
    rows += [(LABELS[name], kind, TWINS.index(name), style.BLUE if name == "own" else style.SKY) for name in twins]
    for label, channel, index, colour in rows:
        value = traces.sharing(x=channel, y=[label], index=index)
        value.bars(label, orientation="h", colour=colour, hover=f"{label}: %{{x:{form}}}")
        # Text of the bar itself is lost where its first value is unknown (plotly 7.1).
        text: dict[str, Any] = dict(
            mode="text", texttemplate=f" %{{x:{form}}}", textposition="middle right", cliponaxis=False
        )
        value.add(go.Scatter, label, **text)
    return made


def panel(experiment: Experiment, *, run: int = 0) -> Panel:
    """The panel on the Diagnose page."""
    return Panel(
        name="twin-scores",
        title="Beside its twins",
        figure=figure(experiment, run=run),
        alt="Bars: this network, its twins, and learners without depth.",
        help="All networks make as many weight steps, from one seed on the same batches. Backprop: the same network "
        "learned by backpropagation, so that what is missing to it is the relaxation's. Sound: that with scales, rates "
        "and all other settings of network and learning that are known to work. Sound, relaxed so: as sound, but "
        "relaxed as here. Linear: ridge regression on the inputs. Random features: ridge regression on the last hidden "
        "layer of the untrained network. A network that does not beat those has not shown that its depth learns. "
        "Without a bar: not needed.",
        csv=("twin_accuracy", "twin_loss", "twin_train_loss", "baseline_accuracy", "baseline_loss"),
        idle="Press Diagnose to begin.",
        note="after {compared_steps} weight steps",
    )
