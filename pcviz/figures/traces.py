"""How traces are added to a figure: each by one call that says which channels it draws and how it looks."""

from typing import Any

import plotly.graph_objects as go

from pcviz.figures import style
from pcviz.figures.bindings import Binding

ATTRIBUTES = ("x", "y", "z", "text")
BINDING = frozenset(Binding.model_fields) - {*ATTRIBUTES, "run", "kind", "mode"}

LINE = dict(colour="line.color", width="line.width", dash="line.dash")
MARKER = dict(
    colour="marker.color",
    size="marker.size",
    symbol="marker.symbol",
    edge="marker.line.width",
    edge_colour="marker.line.color",
)
BAR = dict(colour="marker.color", pattern="marker.pattern", edge="marker.line.width")
"""Options of appearance and their places in plotly's traces."""

LOGARITHM = dict(transform="log10", zero="omit")
"""Colours by the logarithm."""


class Traces:
    """Adds traces to `figure` that are fed by frames of `kind` from run number `run`.

    All methods take the same options. Those given here or to `sharing` hold for every trace, unless a call
    overrides them (None: as if not given).

    - `x`, `y`, `z`, `text`: a string is a channel, which feeds the trace; a list is drawn as it is.
    - Options of a `Binding` are those of its channels; `append` adds a point for each row.
    - `hover` is what the label of a point shows; without it there is none.
    - `legend`: whether the legend names the trace.
    - Appearance: `colour`, `width` and `dash` of lines; `colour`, `size`, `symbol`, `edge` (its width) and
      `edge_colour` of markers; `colour` and `pattern` of bars.
    - All other options are plotly's.
    """

    def __init__(self, figure: go.Figure, run: int, kind: str = "train", **shared: Any) -> None:
        self.figure, self.run, self.kind, self.shared = figure, run, kind, shared

    def sharing(self, **more: Any) -> "Traces":
        """A copy whose traces share the options `more` too."""
        return Traces(self.figure, self.run, self.kind, **self.shared | more)

    def add(
        self, trace: type[Any], name: str | None = None, looks: dict[str, str] | None = None, **options: Any
    ) -> None:
        """A trace of one of plotly's types, which has other names for `looks`. Raises ValidationError when channels and
        options do not fit."""
        options = {key: value for key, value in (self.shared | options).items() if value is not None}
        bound = {key: options.pop(key) for key in ATTRIBUTES if isinstance(options.get(key), str)}
        binding = {key: options.pop(key) for key in BINDING & options.keys()}
        binding["mode"] = "append" if options.pop("append", False) else "replace"
        if bound:
            options |= {key: [] for key in bound if key != "text"}
            options["meta"] = Binding(run=self.run, kind=self.kind, **bound, **binding).meta()
        hover = options.pop("hover", None)
        label = dict(hovertemplate=f"{hover}<extra></extra>") if hover else dict(hoverinfo="skip")
        for key, place in (looks or {}).items():
            if key in options:
                _put(options, place, options.pop(key))
        self.figure.add_trace(trace(name=name, showlegend=options.pop("legend", None), **label | options))

    def line(self, name: str | None = None, **options: Any) -> None:
        """A line; with a `marker`, its points are marked too."""
        marked = (self.shared | options).get("marker")
        self.add(go.Scatter, name, LINE, mode="lines+markers" if marked else "lines", **options)

    def cased_line(self, name: str | None = None, *, casing: float = 4.5, **options: Any) -> None:
        """A line cased in white, so that it reads on any colour: two traces, of which the legend names at most one."""
        line = dict(colour="#000000", width=1.8, legend=False) | self.shared | options
        self.line(name, **line | dict(colour=style.WHITE, width=casing, dash=None, hover=None, legend=False))
        self.line(name, **line)

    def markers(self, name: str | None = None, **options: Any) -> None:
        """Markers; an edge is white unless it has a colour."""
        plain = dict(mode="markers", edge_colour=style.WHITE if (self.shared | options).get("edge") else None)
        self.add(go.Scatter, name, MARKER, **plain | options)

    def zeros(self, name: str | None = None, **options: Any) -> None:
        """The marker row of exact zeros, which a logarithm cannot show, on a `style.zero_strip`."""
        look = dict(symbol="circle-open", size=6, colour=style.TEXT, edge=1.2, legend=False, cliponaxis=False)
        self.add(go.Scatter, name, MARKER, mode="markers", **look | self.shared | options | dict(zero="only"))

    def bars(self, name: str, **options: Any) -> None:
        """Bars on a logarithmic axis, without edges."""
        self.add(go.Bar, name, BAR, edge=0, zero="omit", **options)

    def map(self, name: str, *, bar: dict[str, Any] | None, log: bool = True, **options: Any) -> None:
        """A heat map, coloured by the logarithm if `log`, with the colour bar `bar`; its text is its value."""
        value = dict(text=(self.shared | options)["z"], colorscale=style.CIVIDIS) | (LOGARITHM if log else {})
        scale = dict(colorbar=bar) if bar else dict(showscale=False)
        self.add(go.Heatmap, name, hoverongaps=False, **value | scale | options)

    def zero_map(self, name: str = "exactly 0", **options: Any) -> None:
        """The cells of a heat map that are exactly zero, in a colour outside its scale."""
        grey = style.flat(style.ZERO)
        self.add(go.Heatmap, name, zero="only", colorscale=grey, showscale=False, hoverongaps=False, **options)

    def contours(self, name: str, *, opacity: float, log: bool = True, **options: Any) -> None:
        """White lines of equal value over a heat map."""
        look = dict(colour=f"rgba(255,255,255,{opacity})", width=0.8, contours_coloring="none", showscale=False)
        self.add(go.Contour, name, LINE, legend=False, **look | (LOGARITHM if log else {}) | options)

    def total_energy(self, **options: Any) -> None:
        """The energy of all layers at each inference step, on a logarithmic axis."""
        bound = dict(y="total_energy_trace", zero="omit", hover="step %{x}: total F %{y:.6~g}")
        self.line("total F", colour=style.TEXT, **bound | options)

    def equilibrium_energy(self, **options: Any) -> None:
        """The lowest energy that the relaxation can reach, on the axis of `total_energy`."""
        bound = dict(y="equilibrium_energy", zero="omit", hover="equilibrium F* %{y:.6~g}")
        self.line("equilibrium F*", dash="dash", **bound | options)

    def hold_place(self, **axes: Any) -> None:
        """Add an empty trace: plotly cannot place an axis before a trace on it holds a point; values may come late."""
        self.figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip", **axes)


def _put(options: dict[str, Any], place: str, value: Any) -> None:
    """Write `value` into copies of the parents of `place`. Plotly could do it too, but slowly."""
    *parents, last = place.split(".")
    for parent in parents:
        options[parent] = dict(options.get(parent, {}))
        options = options[parent]
    options[last] = value
