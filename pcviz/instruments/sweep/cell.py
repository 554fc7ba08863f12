"""What a sweep has measured: the cell that was clicked, which can be trained in all panels, and the cells as files."""

import math
from itertools import product
from typing import Any

import numpy as np
import streamlit as st

from pcviz.experiment import Experiment
from pcviz.experiment.axes import SEED, name_of
from pcviz.experiment.schema import flatten
from pcviz.instruments.charts import Chart, Curve, latex, written
from pcviz.instruments.sweep.grid import grid, summary
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.store import RunRecord
from pcviz.ui import controls, downloads, markdown, pages, session

TOLD = ("loss", "least_loss", "test_loss", "test_accuracy", "steps", "diverged")
"""What is measured of a cell, of `pcviz.jobs.cohort.trained`."""


def picked(point: dict[str, Any]) -> None:
    """Remember the cell that was clicked."""
    st.session_state.sweep_picked = (st.session_state.runs.get("run"), point["panel"], point["x"], point["y"])


def chosen(record: RunRecord) -> Experiment | None:
    """The cell that was clicked, with the first of its seeds; None if none was."""
    run, panel, x, y = st.session_state.get("sweep_picked", (None, "", 0, 0))
    options = Options.model_validate(record.options)
    axes = options.grid_axes
    if run != record.id:
        return None
    places = _places(record, options, panel, x, y)
    if any(place >= len(each.values) for each, place in zip(axes, places, strict=False)):
        return None  # between two blocks of the map
    changes = {each.path: each.values[place] for each, place in zip(axes, places, strict=False)}
    seeds = [each.values[0] for each in options.axes if each.path == SEED]
    return record.experiment.changed(changes | ({SEED: seeds[0]} if seeds else {}))


def _places(record: RunRecord, options: Options, panel: str, x: float, y: float) -> tuple[int, ...]:
    """Where a point of a panel lies on each axis."""
    if panel == "sweep-map":
        third, column = divmod(int(x), len(options.grid_axes[0].values) + 1)  # an empty column lies between two blocks
        return column, int(y), third
    if panel == "sweep-optimum":
        return int(y), int(x)
    frame = session.client().last_frame(record.id)
    assert frame is not None, "a point was drawn"
    name = st.session_state.get("quantity", options.quantity)
    heights = np.asarray(frame.values[f"sweep_{name}_curve"])[int(x)]
    return int(x), int(np.nanargmin(np.abs(heights - y)))  # the curve that passes there


def show(record: RunRecord | None) -> None:
    """Draw what was clicked, with the button that trains it in all panels, and the buttons that save all cells."""
    if record is None:
        return
    options = Options.model_validate(record.options)
    cell = chosen(record)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_cell"):
        if cell is None:
            where = {1: "a point of the curve", 2: "a cell of the map, or a point of a curve,"}
            text = where.get(len(options.grid_axes), "a cell of the map")
            st.caption(f"Click {text} to train it in all panels.", width="content")
        else:
            taken = flatten(cell.model_dump())
            name = name_of({each.path: taken[each.path] for each in options.axes})
            st.markdown(markdown.plain(name), width="content")
            act: dict[str, Any] = {"on_click": _train, "args": (cell.differences(),)}
            if st.button("Train this cell", key="train_cell", icon=":material/play_arrow:", **act):
                st.switch_page(pages.SCRIPTS / "1_train.py")
    if record.step:
        downloads.buttons(
            "sweep", record, {"Cells": lambda results: rows(record, results)}, lambda results: table(record, results)
        )


def _train(changes: dict[str, Any]) -> None:
    """Put a cell into the form, and have the Train page start it."""
    controls.fill(changes)
    st.session_state.begin_at_once = True


def rows(record: RunRecord, results: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each cell that was measured: what varies, and what came of it."""
    options = Options.model_validate(record.options)
    cells = options.cells(record.experiment)
    return [
        {**options.values(cells[name]), **{told: found[told] for told in TOLD}}
        for name, found in results.items()
        if name in cells
    ]


def table(record: RunRecord, results: dict[str, Any]) -> str:
    """Means over seeds of the quantity shown, in LaTeX: a column for each value of the first option, a row for each
    combination of the others."""
    options = Options.model_validate(record.options)
    name = st.session_state.get("quantity", options.quantity)
    cells = options.cells(record.experiment)
    done = [(options.values(cells[cell]), found) for cell, found in results.items() if cell in cells]
    found = grid(options.axes, done, name)
    means = summary(found, name)
    first, *others = found.axes
    shape = (len(first.values), math.prod(len(each.values) for each in others))
    middle, low, high = (part.reshape(shape).T.tolist() for part in means)
    labels = [
        ", ".join(f"{each.path} = {value}" for each, value in zip(others, values, strict=True))
        for values in product(*(each.values for each in others))
    ]
    curves = [Curve(label, middle[i], low[i], high[i]) for i, label in enumerate(labels)]
    label = QUANTITIES[name].label
    return latex(written(Chart(label, first.path, label, [str(v) for v in first.values], curves, "")))
