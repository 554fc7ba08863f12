"""Sweeps: a quantity over the first two options that vary, along the first, and where it is best."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import plotly.graph_objects as go

from pcviz.experiment import Experiment
from pcviz.experiment.axes import Axis
from pcviz.figures import Panel, Traces, style
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES

LINES = 8
"""Most curves of one panel."""
TICKS = 5
"""Most labels of an axis: a phone has no room for more."""
CLICK = 12
"""Pixels within which a click means a cell."""
COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)
DASHES = ("solid", "dash")
SweepPanel = partial(
    Panel, idle="Press Sweep to begin.", waiting="The first networks are being trained …", view="plot", bare=True
)


def _value(value: Any) -> str:
    """A value as short as labels have room for."""
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _title(axis: Axis) -> str:
    return axis.title[:1].lower() + axis.title[1:]


def _axis(axis: Axis | None, most: int = TICKS, blocks: int = 1) -> dict[str, Any]:
    """A plotly axis on which the values of an option stand at equal distances, in so many blocks."""
    values = axis.values if axis else ("",)
    step = -(-len(values) * blocks // most)
    first = list(range(0, len(values), step))
    places = [place + block * (len(values) + 1) for block in range(blocks) for place in first]
    room = dict(range=[-0.5, blocks * (len(values) + 1) - 1.5], tickmode="array", tickangle=0, showgrid=False)
    ticks = dict(tickvals=places, ticktext=[_value(values[place]) for place in first] * blocks)
    return dict(title_text=_title(axis) if axis else "", zeroline=False, **room, **ticks)


def _is_one_cell(options: Options) -> bool:
    """Whether a point of a curve is one cell: of a third option each has the best value of its own."""
    return len(options.grid_axes) < 3


def _clicked(options: Options) -> dict[str, Any]:
    return dict(hoverdistance=CLICK) if _is_one_cell(options) else {}


def _label(axis: Axis, place: int) -> str:
    return f"{_title(axis)} {_value(axis.values[place])}"


def heat(options: Options, *, run: int = 0) -> go.Figure:
    """Means over seeds as a heat map of the first two options; with a third, a block for each of its values."""
    facts, (x, y, *rest) = QUANTITIES[options.quantity], options.grid_axes
    third = rest[0] if rest else None
    blocks, wide = len(third.values) if third else 1, len(x.values) + 1
    made = style.blank(
        margin=dict(t=24 if third else 10, l=84),
        xaxis=_axis(x, max(TICKS, 2 * blocks), blocks),
        yaxis=_axis(y),
        hoverdistance=CLICK,
    )
    columns = blocks * wide - 1
    texts = [[""] * columns for _ in y.values]
    for row, block in product(range(len(y.values)), range(blocks)):
        place = [_label(y, row), *([_label(third, block)] if third else [])]
        told = ["<br>".join([_label(x, column), *place]) for column in range(len(x.values))]
        texts[row][block * wide : block * wide + len(told)] = told
    places = dict(x=list(range(columns)), y=list(range(len(y.values))))
    cells = Traces(made, run, "sweep", hovertext=texts, **places)
    grey: dict[str, Any] = dict(colorscale=style.flat(style.ZERO), showscale=False, hoverongaps=False)
    cells.add(go.Heatmap, "diverged", z="sweep_lost", zero="only", hover="%{hovertext}<br>diverged", **grey)
    shade, exact = f"sweep_{options.quantity}_shade", f"sweep_{options.quantity}"
    hover = f"%{{hovertext}}<br>{facts.label} %{{customdata:.4~g}}"
    cells.map(facts.label, z=shade, text=exact, log=facts.log, bar=style.colour_bar(facts.label), hover=hover)
    if third:
        for block in range(blocks):
            middle = block * wide + (wide - 2) / 2
            style.write(made, _label(third, block), x=middle, xref="x", y=1, yanchor="bottom")
    else:
        spots = Traces(made, run, "sweep", x=f"sweep_{options.quantity}_at", y=places["y"])
        look = dict(symbol="star", size=11, colour=style.VERMILLION, edge=1.2, legend=False)
        spots.markers("best", hover=f"best {_title(x)}", **look)
    return made


def curves(options: Options, *, run: int = 0) -> go.Figure:
    """Means over seeds against the first option, a curve for each value of the second, with 95 % intervals."""
    facts, name = QUANTITIES[options.quantity], options.quantity
    x, *rest = options.grid_axes
    y = rest[0] if rest else None
    height = style.log_axis(title_text=facts.label) if facts.log else dict(title_text=facts.label)
    margin = style.LEGEND if y else dict(t=10)
    made = style.blank(margin=margin, xaxis=_axis(x), yaxis=height, **_clicked(options))
    made.update_layout(legend=dict(title=dict(text=f"{_title(y)} " if y else "", side="left")))
    values = y.values if y else (None,)
    chosen = sorted({round(i * (len(values) - 1) / max(1, LINES - 1)) for i in range(LINES)})
    for number, index in enumerate(chosen if len(values) > LINES else range(len(values))):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS)]
        label = _value(values[index]) if y else facts.label
        own = Traces(made, run, "sweep", x=list(range(len(x.values))), index=index, colour=colour, legendgroup=label)
        for part in ("low", "high"):
            own.line(label, y=f"sweep_{name}_{part}", width=0.8, opacity=0.5, dash="dot", legend=False)
        hover = f"%{{hovertext}}<br>{facts.label} %{{y:.4~g}}"
        row = [_label(y, index)] if y else []
        texts = ["<br>".join([_label(x, column), *row]) for column in range(len(x.values))]
        marker = dict(size=5, color=colour)
        own.line(label, y=f"sweep_{name}_curve", width=2, dash=dash, marker=marker, hovertext=texts, hover=hover)
    return made


def optimum(options: Options, *, run: int = 0) -> go.Figure:
    """The best value of the first option against the second, with what is within 10 % of the best."""
    name = options.quantity
    x, y, *_ = options.grid_axes
    made = style.blank(margin=style.LEGEND | dict(l=84), xaxis=_axis(y), yaxis=_axis(x, 7), **_clicked(options))
    best = Traces(made, run, "sweep", x=list(range(len(y.values))))
    for end, words in (("from", "least"), ("to", "greatest")):
        look = dict(symbol="line-ew-open", size=12, colour=style.BLUE, hover=f"{words} within 10 % of the best")
        best.markers(f"{words} within 10 %", y=f"sweep_{name}_{end}", **look)
    best.line("best", y=f"sweep_{name}_at", colour=style.BLUE, width=1.4, dash="dot", legend=False)
    best.markers("best", y=f"sweep_{name}_at", colour=style.BLUE, size=9, hover="best")
    return made


def _panel(
    experiment: Experiment | None = None,
    *,
    run: int = 0,
    options: Options | None = None,
    draw: Callable[..., go.Figure],
    least: int,
    **texts: Any,
) -> Panel:
    chosen = options or Options()
    few = len(chosen.grid_axes) < least
    name = chosen.quantity
    note = texts.pop("note", "").replace("QUANTITY", name)
    return SweepPanel(
        note=note or None,
        figure=style.blank() if few else draw(chosen, run=run),
        absent=f"This panel needs {least} options that vary." if few else None,
        pick=not few and (draw is heat or _is_one_cell(chosen)),
        csv=tuple(f"sweep_{name}{part}" for part in ("", "_curve", "_low", "_high", "_at")),
        **texts,
    )


PANELS: dict[str, Callable[..., Panel]] = {
    "sweep-map": partial(
        _panel,
        draw=heat,
        least=2,
        name="sweep-map",
        title="Every cell",
        alt="Heat map of the means over seeds against the first two options that vary; a star marks the best of each "
        "row.",
        help="Each cell is the mean over seeds of short trainings: corners first, then what halves the distances. "
        "Grey: a training diverged. Losses above 100 times the least share one colour. A star marks the best "
        "cell of each row that is complete. Hover for exact values.",
        note="trainings that diverged: {sweep_diverged}",
    ),
    "sweep-curves": partial(
        _panel,
        draw=curves,
        least=1,
        name="sweep-curves",
        title="Along the first option",
        alt="Means over seeds against the first option that varies, a curve for each value of the second.",
        help="Means over seeds; dotted: ends of the 95 % interval, where there are several seeds. Of a third option "
        "the best value is taken. Curves break where a training diverged, and above 100 times the least loss.",
    ),
    "sweep-optimum": partial(
        _panel,
        draw=optimum,
        least=2,
        name="sweep-optimum",
        title="Does the best value move?",
        alt="The best value of the first option against the second one.",
        help="Dots: the best value of the first option for each value of the second, once all are measured. Dashes: "
        "the range within 10 % of the best. What transfers stays where it is. An optimum at the edge of what was "
        "varied may lie beyond it.",
        note="the best value moves by {sweep_QUANTITY_drift:g2} decades",
    ),
}
"""In reading order."""
