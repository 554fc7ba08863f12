"""Bindings: which channel of which frame feeds which attribute of a trace.

A figure is made once in Python; each live trace carries a `Binding` in its `meta`, and `live.js` knows nothing else.
How the client reads a binding:

1. A frame feeds the trace if it comes from run number `run` of the page's list (or from a child of that run), is of
   the right `kind`, and holds every channel that the binding names.
2. `row` takes one row of every bound channel: the last, or the one that the panel's slider points at (then every bound
   channel has the leading dimension R).
3. `index` takes one entry (negative: from the end) along the last dimension of those bound channels that then have the
   most dimensions.
4. `where` keeps the entries at which another channel has a given value.
5. `zero` and `transform` act on the value: z if bound, else y, else x. "omit" blanks exact zeros (so that a logarithm
   never sees them); "only" blanks all else and draws a 0, for a marker row on an axis of its own. A matrix bound to a
   line with "only" gives one marker for each row that holds a zero, and `text` the number of zeros. `transpose` draws
   the rows of a replaced map as columns (plotly's own option leaves the hover text where it was).
6. "append" adds a point (a map: a column) for each row of the channels, whose leading dimension is K (perhaps 0 in a
   frame), except for rows that are NaN; beyond `keep` it halves the resolution of what it has, first, last and extremes
   kept. "replace" draws the frame alone. A number next to an array is repeated. `text` is what the
   hover label shows as `customdata`: the value before `zero` and `transform`.
"""

from typing import Any, Literal, Self

import plotly.graph_objects as go
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pcviz.instruments import CHANNELS, KINDS


class Smoothing(BaseModel):
    """Exponential moving average over the weight steps in the channel `at`: d steps after the last value the past has
    the weight exp(-d / `steps`), the new value the rest. `log` averages logarithms: a straight line on a logarithmic
    axis stays one, `steps` later."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: float = Field(gt=0)
    at: str = "step_history"
    log: bool = False


class Where(BaseModel):
    """Keeps the entries at which `channel` equals `equals`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    channel: str
    equals: float


class Binding(BaseModel):
    """One trace's source, as described above. Raises ValidationError when channels and options do not fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: int = Field(0, ge=0)
    kind: str = "train"
    x: str | None = None
    y: str | None = None
    z: str | None = None
    text: str | None = None
    index: int | None = None
    row: Literal["last", "scrub"] | None = None
    where: Where | None = None
    transpose: bool = False
    transform: Literal["log10"] | Smoothing | None = None
    zero: Literal["omit", "only"] | None = None
    mode: Literal["append", "replace"] = "replace"
    keep: int = Field(4096, ge=16)

    @model_validator(mode="after")
    def _kind_and_channels_exist(self) -> Self:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is no kind of run")
        names = [*self._bound().values(), *([self.where.channel] if self.where else [])]
        if not names:
            raise ValueError("a binding names at least one channel")
        for name in names:
            if name not in CHANNELS:
                raise ValueError(f"{name} is no channel")
        return self

    @model_validator(mode="after")
    def _dimensions_fit(self) -> Self:
        dims = self.dims()
        points = {name: dims[name] for name in ("x", "y") if name in dims}
        if "z" in dims:
            rank = 1 if self.mode == "append" else 2
            if len(dims["z"]) != rank:
                raise ValueError(f"mode {self.mode} needs z with {rank} dimensions, not {dims['z']}")
        if self.transpose and (self.mode == "append" or "z" not in dims):
            raise ValueError("transpose turns a replaced map")
        if self.mode == "append" and any(points.values()):
            raise ValueError(f"mode append adds a point for each row: x and y are numbers in it, not {points}")
        matrices = [name for name, dim in points.items() if len(dim) > 1]
        if matrices and self.zero != "only":
            raise ValueError(f"{' and '.join(matrices)} would be a matrix: give index or row")
        if "z" not in dims and len({dim for dim in points.values() if len(dim) == 1}) > 1:
            raise ValueError(f"x and y differ in length: {points}")
        return self

    def dims(self) -> dict[str, tuple[str, ...]]:
        """Named dimensions of what each bound attribute receives, after `row` and `index`."""
        found = {attribute: CHANNELS[name].dims for attribute, name in self._bound().items()}
        if self.row is not None:
            for attribute, dim in found.items():
                if dim[:1] != ("R",):
                    raise ValueError(f"row needs channels with rows; {attribute} has the dimensions {dim}")
                found[attribute] = dim[1:]
        if self.index is not None:
            most = max(len(dim) for dim in found.values())
            if most == 0:
                raise ValueError("index needs a channel with dimensions")
            found = {attribute: dim[:-1] if len(dim) == most else dim for attribute, dim in found.items()}
        if self.mode == "append":
            for attribute, dim in found.items():
                if dim[:1] != ("K",):
                    raise ValueError(f"mode append needs channels by weight step; {attribute} has the dimensions {dim}")
                found[attribute] = dim[1:]
        return found

    def meta(self) -> dict[str, Any]:
        """The binding as a trace's `meta`."""
        return self.model_dump(exclude_none=True)

    def _bound(self) -> dict[str, str]:
        return {name: value for name in ("x", "y", "z", "text") if (value := getattr(self, name)) is not None}


def bindings(figure: go.Figure) -> list[Binding]:
    """The bindings of a figure's live traces, validated."""
    return [Binding.model_validate(trace.meta) for trace in figure.data if trace.meta]
