"""The views of the Landscape page, each with a run of its own, and the choice between them."""

import streamlit as st

from pcviz.instruments import gathered
from pcviz.ui import controls, inputs, session, widgets
from pcviz.ui.instruments import on
from pcviz.ui.look import View

VIEWS: dict[str, View] = {kind: view for kind, view in gathered("view", "VIEWS").items() if kind in on("landscape")}
"""By the kind of their runs, in reading order."""


def drawn(path: str) -> bool:
    """Whether a look depends on a field: it trains as long as its own controls say."""
    return path != "learning.steps" and controls.applies(path)


def view() -> View:
    """Draw the choice of a view; returns the chosen one. Opening a run selects its view."""
    shown = session.record()
    if shown is not None and shown.id != st.session_state.get("viewed_run"):
        widgets.put({"landscape_view": shown.kind})
        st.session_state.viewed_run = shown.id
    st.session_state.setdefault("landscape_view", st.session_state.get("viewed", next(iter(VIEWS))))
    inputs.segments(
        "View",
        VIEWS,
        "landscape_view",
        format_func=lambda kind: VIEWS[kind].label,
        label_visibility="collapsed",
        on_change=_turn,
    )
    chosen = str(st.session_state.landscape_view)
    st.session_state.viewed = chosen
    return VIEWS[chosen]


@session.reporting()
def _turn() -> None:
    """Turn to another view: its own run is shown again, and the present run is kept for later."""
    if not widgets.chosen("landscape_view"):
        return
    shelves = st.session_state.setdefault("view_runs", {})
    shown = session.record()
    if shown is not None:
        shelves[shown.kind] = shown.id
    run = shelves.get(st.session_state.landscape_view)
    session.show("run", run)
    st.session_state.viewed_run = run
