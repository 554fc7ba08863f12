"""A figure filled with values in Python, for documents that no stream reaches: what `live.js` does in the browser, for
bindings that replace."""

import json

import numpy as np
import plotly.graph_objects as go

from pcviz.figures import style
from pcviz.figures.bindings import Binding
from pcviz.frames import Value


def filled(figure: go.Figure, values: dict[str, Value]) -> go.Figure:
    """A copy of the figure with these values in its traces; traces whose channels are missing stay empty. Raises
    ValueError for bindings by rows, maps and appended points, which documents do not have."""
    made = go.Figure(figure)
    for trace in made.data:
        if not trace.meta:
            continue
        binding = Binding.model_validate(trace.meta)
        if binding.row or binding.z or binding.mode == "append":
            raise ValueError(f"{trace.name}: such a trace cannot be filled here")
        bound = {key: name for key in ("x", "y", "text") if (name := getattr(binding, key))}
        if any(name not in values for name in bound.values()):
            continue
        arrays = {key: np.asarray(values[name], float) for key, name in bound.items()}
        most = max(array.ndim for array in arrays.values())
        if binding.index is not None:
            arrays = {key: a[..., binding.index] if a.ndim == most else a for key, a in arrays.items()}
        place = "y" if "y" in arrays else "x"
        if binding.zero == "omit":
            arrays[place] = np.where(arrays[place] == 0, np.nan, arrays[place])
        if binding.zero == "only":
            arrays[place] = np.where(arrays[place] == 0, 0.0, np.nan)
        for key, array in arrays.items():
            trace["customdata" if key == "text" else key] = np.atleast_1d(array)
    return made


PAPER = {style.ZERO: "#dddddd", style.TEXT: "#222222", style.GROUND: style.WHITE, style.GRID: "#cccccc"}
"""Roles of the page -> colours on white paper."""


def on_paper(figure: go.Figure) -> go.Figure:
    """The figure in colours for white paper: outside the page its roles have none."""
    text = figure.to_json()
    for role, colour in PAPER.items():
        text = text.replace(json.dumps(role)[1:-1], colour)
    return go.Figure(json.loads(text))
