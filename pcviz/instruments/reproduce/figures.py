"""The charts of a finding: its curves with their intervals, and what stands beside them."""

from collections.abc import Callable
from functools import partial
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.picture import first_curves
from pcviz.instruments.reproduce.studies import STUDIES

MOST = 6
"""Most charts of a finding."""
COLOURS = (*style.COLOURS.values(), style.mixed(style.TEXT, 0.6))
FORMS = (("solid", "circle"), ("dash", "square"), ("dot", "diamond"))
"""Dashes and symbols that tell curves of the same colour apart."""
MANY = 24
"""Curves with more places have no markers."""
LINE = 8
"""Most characters in a line of a name on an axis, unless a word has more."""
CHANNELS = ("middle", "low", "high", "above")


def chart_figure(chart: Chart, first: int = 0, *, run: int = 0) -> go.Figure:
    """A chart whose curves are fed from place `first` of the channels on."""
    numbers = not isinstance(chart.places[0], str)
    made = style.blank(margin=style.LEGEND | dict(l=64), xaxis=_x(chart), yaxis=_y(chart))
    for number, curve in enumerate(chart.curves):
        again, shade = divmod(number, len(COLOURS))
        colour, form = COLOURS[shade], FORMS[again % len(FORMS)]
        places = list(chart.places) if numbers else list(range(len(chart.places)))
        own = Traces(made, run, "reproduce", x=places, index=first + number, colour=colour, legendgroup=curve.name)
        _draw(own, chart, curve, *form)
    return made


def _x(chart: Chart) -> dict[str, Any]:
    if isinstance(chart.places[0], str):
        last = len(chart.places) - 1
        ticks = dict(tickvals=list(range(last + 1)), ticktext=[_broken(str(place)) for place in chart.places])
        return dict(
            title_text=chart.x,
            tickmode="array",
            tickangle=0,
            automargin=True,
            range=[-0.5, last + 0.5],
            showgrid=False,
            **ticks,
        )
    few = len(chart.places) <= 8
    ticks = dict(tickmode="array", tickvals=chart.places, ticktext=[f"{p:g}" for p in chart.places]) if few else {}
    return (style.log_axis(title_text=chart.x) if chart.log_x else dict(title_text=chart.x)) | ticks


def _broken(name: str) -> str:
    """A name in short lines, so that many stand side by side."""
    return "<br>".join(wrap(name, LINE, break_long_words=False, break_on_hyphens=False))


def _y(chart: Chart) -> dict[str, Any]:
    return style.log_axis(title_text=chart.y) if chart.log_y else dict(title_text=chart.y)


def _draw(own: Traces, chart: Chart, curve: Curve, dash: str, symbol: str) -> None:
    many = len(chart.places) > MANY
    at = "%{x:.4~g}" if not isinstance(chart.places[0], str) else "%{x}"
    where = f"{chart.x} {at}".strip()
    hover = f"{curve.name}<br>{where}: %{{y:.4~g}}"
    zero = "omit" if chart.log_y else None
    if chart.joined:
        for part in ("low", "high"):
            if len(curve.low):
                own.line(curve.name, y=f"finding_{part}", width=0.8, opacity=0.6, dash="dot", legend=False, zero=zero)
        marker = None if many else dict(size=6, symbol=symbol, color=own.shared["colour"])
        own.line(curve.name, y="finding_middle", width=1.8, dash=dash, marker=marker, hover=hover, zero=zero)
    else:
        own.markers(curve.name, y="finding_middle", symbol=symbol, size=10, hover=hover, zero=zero)
        for part, words in (("low", "lower"), ("high", "upper")):
            told = f"{curve.name}<br>{words} end %{{y:.4~g}}"
            own.markers(
                curve.name, y=f"finding_{part}", symbol="line-ew-open", size=14, legend=False, hover=told, zero=zero
            )
    if len(curve.above):
        told = f"{curve.name}<br>{where}: above %{{y:.4~g}}"
        own.markers(curve.name, y="finding_above", symbol="triangle-up-open", size=10, legend=False, hover=told)
    if len(curve.reference):
        told = f"{curve.name}, {chart.reference}<br>{where}: %{{y:.4~g}}"
        beside: dict[str, Any] = dict(y=list(curve.reference), index=None, symbol=f"{symbol}-open")
        own.markers(curve.name, **beside, size=10, legend=False, hover=told)


def _panel(experiment: Experiment | None = None, *, number: int, run: int = 0, options: Options | None = None) -> Panel:
    """The panel of the chart of this number; `options` say of which finding."""
    chosen = options or _example(number)
    charts = chosen.study.report([], chosen.chosen).charts
    chart, first = charts[number], list(first_curves(charts))[number]
    curves = ", ".join(curve.name for curve in chart.curves)
    return Panel(
        name=f"finding-{number + 1}",
        title=chart.title,
        figure=chart_figure(chart, first, run=run),
        alt=f"{chart.y} against {chart.x or 'names'}: {curves}.",
        help=chart.help,
        csv=tuple(f"finding_{part}" for part in CHANNELS),
        idle="Press Start to measure it.",
        waiting="The first network is being measured …",
        bare=True,
    )


def _example(number: int) -> Options:
    """Some finding that has a chart of this number."""
    every = (Options.model_validate({"finding": name, "protocol": "full"}) for name in STUDIES)
    return next(made for made in every if len(made.study.report([], made.chosen).charts) > number)


PANELS: dict[str, Callable[..., Panel]] = {f"finding-{n + 1}": partial(_panel, number=n) for n in range(MOST)}
"""In reading order."""
