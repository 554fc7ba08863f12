"""The builder of traces: what is bound and what is drawn as it is, what is shared and who has the last word."""

from typing import Any

import pytest
from pydantic import ValidationError

from pcviz.figures import Traces, bindings, style


def steps(**shared: Any) -> Traces:
    return Traces(style.blank(), 1, "relax", **{"x": "trace_steps", **shared})


def test_a_string_is_a_channel_and_a_list_is_drawn_as_it_is() -> None:
    traces = steps()
    traces.line(y=[0, 1], row="scrub", colour=style.BLUE, width=1)
    traces.line(x=[1, 2], y=[3, 4], colour=style.BLUE, width=1)
    live, fixed = traces.figure.data
    assert (live.x, live.y, live.meta["x"], live.meta["row"]) == ((), (0, 1), "trace_steps", "scrub")
    assert (live.meta["run"], live.meta["kind"]) == (1, "relax") and "y" not in live.meta
    assert (fixed.x, fixed.y, fixed.meta) == ((1, 2), (3, 4), None)


def test_a_call_has_the_last_word_and_leaves_what_is_shared_as_it_was() -> None:
    traces = steps(zero="omit", colour=style.BLUE, width=2)
    dashed = traces.sharing(dash="dash", width=3)
    dashed.line("F", y="total_energy_trace", colour=style.GREEN, zero=None)
    traces.line("F", y="total_energy_trace")
    first, second = traces.figure.data
    assert (first.line.color, first.line.width, first.line.dash) == (style.GREEN, 3, "dash")
    assert (second.line.color, second.line.width, second.line.dash) == (style.BLUE, 2, None)
    assert [bound.zero for bound in bindings(traces.figure)] == [None, "omit"]


def test_a_label_is_what_hover_says_or_none() -> None:
    traces = steps(y="total_energy_trace", colour=style.BLUE, width=1)
    traces.line(hover="F %{y}")
    traces.line()
    said, silent = traces.figure.data
    assert (said.hovertemplate, said.hoverinfo) == ("F %{y}<extra></extra>", None)
    assert (silent.hovertemplate, silent.hoverinfo) == (None, "skip")


def test_a_heat_map_and_its_zeros_share_all_cells() -> None:
    traces = steps(y=[1, 2], z="energy_trace", transpose=True)
    traces.map("energy", bar=None)
    traces.zero_map()
    values, zeros = bindings(traces.figure)
    assert (values.transform, values.zero, values.text) == ("log10", "omit", "energy_trace")
    assert zeros == values.model_copy(update={"transform": None, "zero": "only", "text": None})


def test_a_cased_line_is_white_below_and_named_once() -> None:
    traces = steps(y="total_energy_trace")
    traces.cased_line("path", legend=True, dash="dot", hover="F %{y}")
    casing, line = traces.figure.data
    assert casing.line.width > line.line.width and casing.meta == line.meta
    assert (casing.line.color, casing.line.dash, casing.showlegend, casing.hoverinfo) == (
        "#ffffff",
        None,
        False,
        "skip",
    )
    assert (line.line.dash, line.showlegend, line.hovertemplate) == ("dot", True, "F %{y}<extra></extra>")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="no_such is no channel"):
        steps().line(y="no_such", colour=style.BLUE, width=1)
    with pytest.raises(ValueError, match="colur"):
        steps().line(y="total_energy_trace", colur=style.BLUE)
