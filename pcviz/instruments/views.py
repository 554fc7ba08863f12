"""The views of pages with several looks, each with a run of its own, and the choice between them."""

import streamlit as st

from pcviz.instruments import gathered
from pcviz.ui import controls, inputs, look_options, session, widgets
from pcviz.ui.instruments import on
from pcviz.ui.look import View

VIEWS: dict[str, View] = gathered("view", "VIEWS")
"""By the kind of their runs, in reading order."""


def of(page: str) -> dict[str, View]:
    """The views of a page, by the kind of their runs."""
    return {kind: view for kind, view in VIEWS.items() if kind in on(page)}


def drawn(path: str) -> bool:
    """Whether a look depends on a field: it trains as long as its own controls say."""
    return path != "learning.steps" and controls.applies(path)


def view(page: str) -> View:
    """Draw the choice of a view of this page; returns the chosen one. Opening a run selects its view."""
    views, key, viewed = of(page), look_options.view_key(page), look_options.viewed_key(page)
    shown = session.record()
    if shown is not None and shown.id != st.session_state.get("viewed_run"):
        widgets.put({key: shown.kind})
        st.session_state.viewed_run = shown.id
    st.session_state.setdefault(key, st.session_state.get(viewed, next(iter(views))))
    inputs.segments(
        "View",
        views,
        key,
        format_func=lambda kind: views[kind].label,
        label_visibility="collapsed",
        on_change=_turn,
        args=(key,),
    )
    chosen = str(st.session_state[key])
    st.session_state[viewed] = chosen
    return views[chosen]


@session.reporting()
def _turn(key: str) -> None:
    """Turn to another view: its own run is shown again, and the present run is kept for later."""
    if not widgets.chosen(key):
        return
    shelves = st.session_state.setdefault("view_runs", {})
    shown = session.record()
    if shown is not None:
        shelves[shown.kind] = shown.id
    run = shelves.get(st.session_state[key])
    session.show("run", run)
    st.session_state.viewed_run = run
