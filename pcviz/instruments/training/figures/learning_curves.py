"""Learning curves: loss, total energy and test accuracy over training."""

from __future__ import annotations

from typing import Any, Literal

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import style
from pcviz.figures.bindings import Binding, Smoothing
from pcviz.figures.panel import Panel

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
    `smoothing` averages every line over so many weight steps, and then there is no band.
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
        layout["yaxis2"] = style.zero_strip(domain=[bottom, bottom + 0.045], ticktext=["0"], showgrid=False)
    if classes:
        share = dict(tickformat=".0%", nticks=3, title_text="accuracy", range=[0, 1.03])
        layout["yaxis3"] = dict(domain=[0, 0.33], tickmode="auto", **share)
    made = style.blank(hovermode="x", **layout)
    curves = _Curves(made, x, "omit" if log else None, classes, smoothing)
    if not smoothing:
        curves.band(run)
    curves.losses(run, dash="solid", suffix="")
    curves.energy(run, "Σ ½‖δ<sub>l</sub>‖²" if not experiment.learning.facts.relaxes else "energy F")
    if baseline is not None:
        curves.losses(baseline, dash=style.BASELINE_DASH, suffix=" (baseline)")
    if classes:
        # plotly cannot place an axis before the first trace on it holds a point, and a test may come late.
        made.add_scatter(x=[None], y=[None], yaxis="y3", showlegend=False, hoverinfo="skip")
    if log:
        for channel, index, colour in (
            ("train_loss_history", 0, style.BLUE),
            ("test_loss_history", None, style.VERMILLION),
            ("total_energy_history", None, style.GREEN),
        ):
            curves.zeros(run, channel, index, colour)
    return made


def _x_axis(experiment: Experiment, x: XAxis, anchor: str) -> dict[str, Any]:
    """From 0 to where the run ends, as far as that is known before."""
    place: dict[str, Any] = dict(title_text=X_TITLES[x], anchor=anchor, rangemode="tozero")
    steps = experiment.learning.steps
    if x == "step":
        return style.step_axis(steps, **place)
    if x == "epoch":
        return place | dict(autorangeoptions=dict(clipmax=steps / experiment.steps_per_epoch))
    return place


class _Curves:
    """Adds the curves of one run to a figure."""

    def __init__(
        self, made: go.Figure, x: XAxis, zero: Literal["omit"] | None, classes: bool, smoothing: float
    ) -> None:
        self.made, self.x, self.zero, self.classes, self.smoothing = made, x, zero, classes, smoothing

    def band(self, run: int) -> None:
        """Least and greatest training loss since the point before."""
        plain = dict(mode="lines", showlegend=False, hoverinfo="skip", x=[], y=[])
        edge = dict(width=0, color=FAINT)
        self.made.add_scatter(**plain, line=edge, meta=self._meta(run, "train_loss_history", index=1))
        band = dict(fill="tonexty", fillcolor=FAINT)
        self.made.add_scatter(**plain, **band, line=edge, meta=self._meta(run, "train_loss_history", index=2))

    def losses(self, run: int, dash: str, suffix: str) -> None:
        """Training loss, test loss, and test accuracy where there are classes."""
        train = self._meta(run, "train_loss_history", index=0, transform=self._smoothing())
        self._curve("train loss" + suffix, style.BLUE, dash, 2, train)
        test = self._meta(run, "test_loss_history", transform=self._smoothing())
        self._curve("test loss" + suffix, style.VERMILLION, dash, 1.6, test)
        if self.classes:
            smoothing = self._smoothing(log=False)
            accuracy = Binding(
                run=run, x=f"{self.x}_history", y="test_accuracy_history", transform=smoothing, mode="append"
            ).meta()
            self._curve("accuracy" + suffix, style.ORANGE, dash, 2, accuracy, axis="y3", hover="%{y:.1%}")

    def energy(self, run: int, name: str) -> None:
        """Total energy after the relaxation."""
        energy = self._meta(run, "total_energy_history", transform=self._smoothing())
        self._curve(name, style.GREEN, "solid", 1.6, energy)

    def zeros(self, run: int, channel: str, index: int | None, colour: str) -> None:
        """Marker row of exact zeros, which a logarithm cannot show."""
        self.made.add_scatter(
            x=[],
            y=[],
            yaxis="y2",
            mode="markers",
            showlegend=False,
            marker=style.zero_marker(colour),
            hovertemplate=f"{channel.removesuffix('_history').replace('_', ' ')} exactly 0<extra></extra>",
            meta=Binding(run=run, x=f"{self.x}_history", y=channel, index=index, zero="only", mode="append").meta(),
        )

    def _smoothing(self, *, log: bool = True) -> Smoothing | None:
        """Averages what the axis shows: on a logarithmic one a mean of values would hide all but the greatest."""
        return Smoothing(steps=self.smoothing, log=log and self.zero == "omit") if self.smoothing else None

    def _curve(
        self, name: str, colour: str, dash: str, width: float, meta: dict[str, Any], axis: str = "y", hover: str = ""
    ) -> None:
        self.made.add_scatter(
            x=[],
            y=[],
            yaxis=axis,
            mode="lines",
            name=name,
            line=dict(color=colour, dash=dash, width=width),
            showlegend=axis == "y",
            hovertemplate=f"{name}{', smoothed,' if self.smoothing else ''} {hover or '%{y:.4~g}'}<extra></extra>",
            meta=meta,
        )

    def _meta(self, run: int, channel: str, **options: Any) -> dict[str, Any]:
        return Binding(run=run, x=f"{self.x}_history", y=channel, zero=self.zero, mode="append", **options).meta()


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
        "the output precision λ. At λ = 1 energy far below the loss means that the activities found most of the "
        "way. Smoothing averages every line over weight steps: then a point is no measured value."
        + (" Below: share of the test set classified correctly." if classes else ""),
        csv=("train_loss_history", "test_loss_history", "test_accuracy_history", "total_energy_history"),
    )
