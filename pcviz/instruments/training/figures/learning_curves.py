"""Learning curves: loss, total energy and test accuracy over training."""

from typing import Any, Literal

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.figures.bindings import Smoothing
from pcviz.instruments.training.reading import SIGNS

XAxis = Literal["step", "epoch", "seconds"]
X_TITLES: dict[XAxis, str] = {"step": "weight step", "epoch": "epoch", "seconds": "compute time (s)"}
FAINT = "rgba(0,114,178,0.22)"


def figure(
    experiment: Experiment,
    *,
    run: int = 0,
    baseline: int | None = None,
    x: XAxis = "step",
    log: bool = True,
    smoothing: float = 0,
) -> go.Figure:
    """Above: training loss, in a faint band of its extremes, test loss, energy. Below: test accuracy.

    `baseline` is the position of a second run in the page's list, whose losses and accuracy are drawn dashed.
    `smoothing` averages every line over this many weight steps; then there is no band.
    """
    classes = experiment.data.facts.task == "classification"
    bottom = 0.40 if classes else 0.0
    zero_height = 0.055 if log else 0.0
    lowest = "y3" if classes else ("y2" if log else "y")
    smoothed = f"<br>over {smoothing:,g} steps" if smoothing else ""
    title = dict(title_text=f"loss, energy{smoothed}", domain=[bottom + zero_height, 1])
    layout: dict[str, Any] = dict(
        margin=style.LEGEND,
        xaxis=_x_axis(experiment, x, lowest),
        yaxis=style.log_axis(tickformat="~g", **title) if log else dict(rangemode="tozero", **title),
    )
    if log:
        layout["yaxis2"] = style.zero_strip(domain=[bottom, bottom + 0.045])
    if classes:
        share = dict(tickformat=".0%", nticks=3, title_text="accuracy", range=[0, 1.03])
        layout["yaxis3"] = dict(domain=[0, 0.33], tickmode="auto", **share)
    made = style.blank(hovermode="x", **layout)
    curves = _Curves(made, run, x, log, smoothing)
    if not smoothing:
        curves.band()
    curves.tests(classes)
    energy = "energy F" if experiment.learning.facts.relaxes else "Σ ½‖δ<sub>l</sub>‖²"
    curves.curve(energy, "total_energy_history", colour=style.GREEN, width=1.6, dash="solid")
    curves.marks()
    if baseline is not None:
        _Curves(made, baseline, x, log, smoothing).tests(classes, style.BASELINE_DASH, " (baseline)")
    if classes:
        curves.history.hold_place(yaxis="y3")
    if log:
        curves.zeros()
    return made


def _x_axis(experiment: Experiment, x: XAxis, anchor: str) -> dict[str, Any]:
    """From 0 to where the run ends, as far as that is known in advance."""
    place: dict[str, Any] = dict(title_text=X_TITLES[x], anchor=anchor, rangemode="tozero")
    steps = experiment.learning.steps
    if x == "step":
        return style.step_axis(steps, **place)
    if x == "epoch":
        return place | dict(autorangeoptions=dict(clipmax=steps / experiment.steps_per_epoch))
    return place


class _Curves:
    """The curves of one run."""

    def __init__(self, made: go.Figure, run: int, x: XAxis, log: bool, smoothing: float) -> None:
        # What the axis shows is averaged: on a logarithmic one a mean of values would hide all but the greatest.
        averages = [Smoothing(steps=smoothing, log=on) if smoothing else None for on in (log, False)]
        self.smoothed = ", smoothed," if smoothing else ""
        self.history = Traces(made, run, x=f"{x}_history", append=True)
        self.losses = self.history.sharing(zero="omit" if log else None, transform=averages[0])
        self.shares = self.history.sharing(yaxis="y3", transform=averages[1])

    def curve(self, name: str, channel: str, **options: Any) -> None:
        """A loss or an energy."""
        hover = f"{name}{self.smoothed} %{{y:.4~g}}"
        self.losses.line(name, y=channel, yaxis="y", legend=True, hover=hover, **options)

    def accuracy(self, suffix: str, **options: Any) -> None:
        """Share of the test set classified correctly."""
        hover = f"accuracy{suffix}{self.smoothed} %{{y:.1%}}"
        self.shares.line(f"accuracy{suffix}", y="test_accuracy_history", legend=False, hover=hover, **options)

    def tests(self, classes: bool, dash: str = "solid", suffix: str = "") -> None:
        """Training loss, test loss, and test accuracy where there are classes."""
        self.curve(f"train loss{suffix}", "train_loss_history", index=0, colour=style.BLUE, width=2, dash=dash)
        self.curve(f"test loss{suffix}", "test_loss_history", colour=style.VERMILLION, width=1.6, dash=dash)
        if classes:
            self.accuracy(suffix, colour=style.ORANGE, width=2, dash=dash)

    def band(self) -> None:
        """Least and greatest training loss since the point before."""
        edge = self.losses.sharing(y="train_loss_history", colour=FAINT, width=0, legend=False)
        edge.line(index=1)
        edge.line(index=2, fill="tonexty", fillcolor=FAINT)

    def marks(self) -> None:
        """Marks on the training loss where something begins to go wrong."""
        for index, words in enumerate(SIGNS.values()):
            hover = f"here begins: {words}"
            look = dict(colour=style.TEXT, size=11, symbol="triangle-down", edge=1.2, legend=False)
            self.history.sharing(zero=self.losses.shared["zero"]).markers(
                words, y="sign_history", index=index, hover=hover, **look
            )

    def zeros(self) -> None:
        """Mark exact zeros on the strip below."""
        row = self.history.sharing(yaxis="y2", cliponaxis=True)
        row.zeros(y="train_loss_history", index=0, colour=style.BLUE, hover="train loss exactly 0")
        row.zeros(y="test_loss_history", colour=style.VERMILLION, hover="test loss exactly 0")
        row.zeros(y="total_energy_history", colour=style.GREEN, hover="total energy exactly 0")


def panel(experiment: Experiment, **options: Any) -> Panel:
    """The panel on the Train page; `options` are those of `figure`."""
    classes = experiment.data.facts.task == "classification"
    accuracy = " and test accuracy" if classes else ""
    return Panel(
        name="learning-curves",
        title="Learning curves",
        figure=figure(experiment, **options),
        alt=f"Training loss, test loss, total energy{accuracy} over training.",
        help="Loss of the feedforward pass, of the latest training batch in a band of its extremes since the point "
        "before, and of the whole test set; and the total energy F left after the relaxation, in the loss's unit times "
        "the output precision λ. At λ = 1 energy far below the loss means that the relaxation removed most of "
        "it. A triangle marks where something begins to go wrong; point at it to read what. Smoothing averages every "
        "line over weight steps: a point is then not a measured value."
        + (" Below: share of the test set classified correctly." if classes else ""),
        csv=("train_loss_history", "test_loss_history", "test_accuracy_history", "total_energy_history"),
        table="history",
    )
