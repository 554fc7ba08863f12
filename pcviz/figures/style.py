"""The one place for appearance: colours, fonts, axes, and the few kinds of trace that figures share.

Text, ground and grid are *roles*: CSS colours of the page's theme, written into the figure as `var(…)` and resolved by
the client, so that one figure reads in light and dark. Data colours are safe for colour-blind people: cividis for
depth and energy, Okabe and Ito's for categories, always with a second cue (dash, symbol or position).
"""

import math
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

TEXT = "var(--st-text-color)"
GROUND = "var(--st-background-color)"
GRID = "var(--st-border-color)"
CLEAR = "rgba(0,0,0,0)"
WHITE = "#ffffff"

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"

COLOURS = dict(blue=BLUE, vermillion=VERMILLION, green=GREEN, purple=PURPLE, orange=ORANGE, sky=SKY)

ROLES = dict(activity=ORANGE, prediction=SKY, error=BLUE, weights=VERMILLION, delta=PURPLE, energy=GREEN)
"""Colours of what a layer holds, wherever it is shown; weights: the step that they take; delta: what backpropagation
sends down."""

CIVIDIS = "Cividis"
DIVERGING = ((0.0, BLUE), (0.5, "#f4f4f4"), (1.0, VERMILLION))
LINES_MOST = 32
"""Up to this many layers are drawn as lines, more as a heat map."""

BASELINE_DASH = "dash"
FONT_SIZE = 11


def mixed(colour: str, share: float) -> str:
    """`colour` mixed with the text colour, which sets it off from light and dark grounds alike.

    A `var(…)` is the only expression of CSS that plotly accepts, and its fallback may be any expression.
    """
    return f"var(--pcviz-none, color-mix(in srgb, {colour} {share:.0%}, {TEXT}))"


ZERO = f"var(--pcviz-none, color-mix(in srgb, {TEXT} 16%, {GROUND}))"
"""Cells that are exactly zero: a muted grey, outside the colour scale in both themes."""


def depth_colours(layers: int) -> list[str]:
    """One colour for each layer 1 … `layers`: cividis, dark for the first."""
    places = [0.12 + 0.8 * i / max(layers - 1, 1) for i in range(layers)]
    return [mixed(colour, 0.82) for colour in sample_colorscale(CIVIDIS, places)]


LEGEND = dict(t=24)
"""Margin that leaves room for a legend."""


OVERFLOW = "allow"
"""Plotly would hide labels past the figure's edge, and for that measure all labels of an axis again for each of them: a
sixth of a core while 128 layers train."""


def _axis(**options: Any) -> dict[str, Any]:
    return dict(
        gridcolor=GRID,
        linecolor=GRID,
        tickcolor=GRID,
        zeroline=False,
        showline=True,
        ticks="outside",
        ticklen=3,
        title=dict(standoff=4, font=dict(size=FONT_SIZE)),
        tickmode="auto",
        ticklabeloverflow=OVERFLOW,
        **options,
    )


TEMPLATE = go.layout.Template(
    layout=go.Layout(
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font=dict(color=TEXT, size=FONT_SIZE, family="Source Sans, Source Sans Pro, system-ui, sans-serif"),
        hoverlabel=dict(bgcolor=GROUND, bordercolor=GRID, font=dict(color=TEXT, size=12)),
        # At the very top, inside of the margin that `LEGEND` leaves, so that the plot never moves.
        legend=dict(
            orientation="h",
            x=0,
            y=1,
            xanchor="left",
            yanchor="top",
            yref="container",
            xref="paper",
            bgcolor=CLEAR,
            itemwidth=30,
            traceorder="normal",
        ),
        margin=dict(l=56, r=10, t=10, b=36),
        colorway=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY],
        xaxis=_axis(),
        yaxis=_axis(),
    )
)


def blank(*, hovermode: str = "closest", **layout: Any) -> go.Figure:
    """An empty figure in the house style, whose zoom and legend choices survive new data."""
    figure = go.Figure()
    figure.update_layout(
        template=TEMPLATE, uirevision="pcviz", hovermode=hovermode, autosize=True, **{"hoverdistance": -1} | layout
    )
    return figure


def write(figure: go.Figure, text: str, **place: Any) -> None:
    """Add text to a figure; by default placed in shares of its area, and as large as axis labels."""
    plain = dict(xref="paper", yref="paper", showarrow=False, font=dict(size=FONT_SIZE))
    figure.add_annotation(text=text, **plain | place)


def log_axis(**options: Any) -> dict[str, Any]:
    """A logarithmic axis with ticks 10^k; with a tick mode, because overlaying axes would copy their neighbour's."""
    return dict(type="log", exponentformat="power", tickmode="auto", tickangle=0, **{"nticks": 3} | options)


LEAST_COUNT = math.log10(0.5)
"""Where axes of counts begin, as a power of ten: below 1, so that a single one has a bar."""


def decade_axis(**options: Any) -> dict[str, Any]:
    """A logarithmic axis for bars and profiles, which begin at its edge; see `decades`. Plotly enlarges powers, and
    these axes are narrow."""
    return log_axis(range=[-3, 0], tickfont=dict(size=FONT_SIZE - 2), **options) | dict(tickmode="linear")


def count_axis(**options: Any) -> dict[str, Any]:
    """A logarithmic axis of counts; see `decades`."""
    return log_axis(range=[LEAST_COUNT, 1], **options) | dict(tickmode="linear", dtick=1)


def decades(*axes: str, counts: tuple[str, ...] = ()) -> dict[str, dict[str, float | None]]:
    """A figure's `meta`: the names of its axes of whole decades. The client ends them at the first power of ten beyond
    the least (counts: at half of one) and the greatest positive value, keeps these ends while values move little, and
    labels two or three powers."""
    return dict(decades={name: None for name in axes} | {name: LEAST_COUNT for name in counts})


def step_axis(last: float | None, *, first: int = 0, **options: Any) -> dict[str, Any]:
    """An axis of whole steps that ends where the run does, at `last` (None: unknown), with room for half a cell of a
    heat map or half a marker on either side.

    The number format tells the client that ticks stand at whole numbers only.
    """
    ends = {"clipmin": first - 0.5} | ({} if last is None else {"clipmax": last + 0.5})
    return dict(tickformat=",d", autorangeoptions=ends, **options)


def layer_axis(layers: int, most: int = 9, **options: Any) -> dict[str, Any]:
    """An axis of layers 1 … L, layer 1 at the bottom or left, about `most` ticks: 1, L and round numbers between."""
    step = next(s for s in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if layers / s <= most)
    ticks = [1, *(t for t in range(step, layers, step) if 1 + 0.6 * step <= t <= layers - 0.6 * step), layers]
    return dict(range=[0.5, layers + 0.5], tickmode="array", tickvals=sorted(set(ticks)), showgrid=False, **options)


def plane_axes(x: str, y: str, **options: Any) -> dict[str, Any]:
    """The titles and options of both axes of a plane that is filled with colour."""
    return {f"{side}axis": dict(title_text=title, showgrid=False, **options) for side, title in (("x", x), ("y", y))}


def unit_axis() -> dict[str, Any]:
    """An invisible axis from 0 to 1 over the first, for marks along x."""
    return dict(overlaying="y", range=[0, 1], visible=False, fixedrange=True, tickmode="auto")


def zero_strip(**options: Any) -> dict[str, Any]:
    """A strip beside a logarithmic axis, on which 0 is drawn: the marker row of exact zeros."""
    ticks = dict(tickmode="array", tickvals=[0], ticktext=["0"], showgrid=False)
    return dict(range=[-1, 1], fixedrange=True, zeroline=False, **ticks, **options)


def flat(colour: str) -> list[list[Any]]:
    """A colour scale of one colour."""
    return [[0, colour], [1, colour]]


def colour_bar(title: str, **options: Any) -> dict[str, Any]:
    """A thin colour bar. The client writes the tick labels of logarithmic ones, about `nticks` of them."""
    return dict(
        title=dict(text=title, side="right", font=dict(size=FONT_SIZE)),
        thickness=8,
        outlinewidth=0,
        ticklen=2,
        ticklabeloverflow=OVERFLOW,
        xpad=2,
        ypad=0,
        **{"len": 1.0, "nticks": 6} | options,
    )


def maps_keep(layers: int) -> int:
    """How many columns an appended heat map keeps: fewer for more layers, as every cell is drawn at each update."""
    return max(96, min(400, 40_000 // layers))
