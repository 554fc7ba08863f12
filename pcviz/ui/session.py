"""What a browser tab remembers, and how its address follows: settings, the runs it shows, who it is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import streamlit as st

from pcviz.engine.client import Client, NotAllowed, connect
from pcviz.experiment import Experiment
from pcviz.store import RunRecord, UnknownRun
from pcviz.ui import controls, serving, url

KINDS = {"inference": ("relax",), "landscape": ("surface", "chain", "curvature")}
"""The kinds of the runs that a page shows, by the page's path; trainings elsewhere."""
MOST_ADDRESSES = 200
"""Addresses of our own that a session remembers."""


def client() -> Client:
    """The server's handle on runs, shared by all sessions."""
    return connect(serving.settings())


def begin(page: str) -> None:
    """Before anything is drawn: take over what the address says, unless it is our own."""
    st.session_state.setdefault("session", uuid.uuid4().hex)
    _turn_to(page)
    known = st.session_state.setdefault("addresses", [])
    query = st.query_params.to_dict()
    # A slow browser may still send an address that we have replaced since. Taking it for a wish would undo what the
    # person did meanwhile, so that addresses of our own are never taken over again, not even after the Back button.
    if "settings" not in st.session_state or not (query in known or _is_page_switch(page, query)):
        _adopt(page, url.parse(query))
        known.append(query)
    st.session_state.page = page


def _turn_to(page: str) -> None:
    """Every page shows runs of its own kind: keep those of the page that is left, take up those of the new one."""
    left, shelves = st.session_state.get("page"), st.session_state.setdefault("runs_of", {})
    if left is not None and left != page:
        shelves[left] = st.session_state.runs
        st.session_state.runs = shelves.pop(page, {})
        st.session_state.notices = []
        controls.restore()


def remember() -> None:
    """After everything is drawn: put settings and runs into the address."""
    query = url.query(st.session_state.settings, st.session_state.runs)
    known = st.session_state.addresses
    if query not in known:
        known.append(query)
        del known[:-MOST_ADDRESSES]
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)


def _is_page_switch(page: str, query: dict[str, str]) -> bool:
    """Links between pages drop the query string; `remember` puts it back."""
    return not query and st.session_state.get("page") != page


def _adopt(page: str, state: url.State) -> None:
    """Fill form and runs from an address. Settings in it win over those of the run, which win over the defaults.

    A training opened on the Inference page is what is relaxed there.
    """
    values, runs, notices = {}, {}, list(state.faults)
    for key, run in state.runs.items():
        try:
            record = client().get(run)
        except UnknownRun:
            notices.append(f"{key}: {run} is not known here, it may have been deleted (allowed: a run of this server)")
            continue
        if key == "run":
            values = record.experiment.differences()
        if record.kind in KINDS.get(page, ("train",)):
            runs[key] = run
        elif key == "run" and record.kind == "train":
            st.session_state.source = run
    controls.fill({**values, **state.values})
    st.session_state.runs = runs
    st.session_state.notices = notices


def record(key: str = "run") -> RunRecord | None:
    """The run shown (or its `baseline`), None if there is none. A run deleted meanwhile is forgotten, with a notice."""
    run = st.session_state.runs.get(key)
    if run is None:
        return None
    try:
        return client().get(run)
    except UnknownRun:
        del st.session_state.runs[key]
        st.session_state.notices = [f"{key}: {run} was deleted (allowed: a run of this server)"]
        return None


def show(key: str, run: str | None) -> None:
    """Show another run, or none."""
    st.session_state.runs.pop(key, None)
    if run is not None:
        st.session_state.runs[key] = run
    st.session_state.notices = []


def start(experiment: Experiment, allowed_until_step: int | None = None) -> str:
    """A new run, which pauses at `allowed_until_step`; its id."""
    identity = st.session_state.session
    return client().start(experiment, identity, identity, allowed_until_step=allowed_until_step)


def steer(wish: str, key: str = "run", **details: Any) -> None:
    """Pause, resume, step, reset or cancel the run shown. Who may not is told so."""
    run = st.session_state.runs.get(key)
    if run is None:
        return
    try:
        getattr(client(), wish)(run, owner=st.session_state.session, **details)
    except (NotAllowed, UnknownRun) as error:
        st.session_state.notices = [str(error)]


def notices() -> None:
    """What was wrong with the address, or with a wish: one line each, until the next start."""
    if st.session_state.notices:
        st.warning(lines(st.session_state.notices), icon=":material/warning:")


def lines(messages: Iterable[str]) -> str:
    """Messages as Markdown, each on a line of its own, whatever they contain."""
    return "  \n".join(plain(message) for message in messages)


def plain(text: str) -> str:
    """Text in which Markdown finds nothing to interpret."""
    return "".join("\\" + character if character in r"\`*_{}[]<>#$~|:" else character for character in text)


@st.cache_data(ttl=5, show_spinner=False)
def history() -> list[tuple[Experiment, int, float]]:
    """Experiment, weight steps and compute seconds of recent runs: what they say of this machine's speed."""
    return [(run.experiment, run.step, run.seconds) for run in client().runs(40) if run.kind == "train"]


def shown_runs() -> list[str]:
    """Ids of the run shown and of its baseline, in this order."""
    return [st.session_state.runs[key] for key in url.RUN_KEYS if key in st.session_state.runs]


def with_child(record: RunRecord, kind: str, options: dict[str, Any]) -> None:
    """See that the run has this child (a surface to draw), and none of the same kind with other options."""
    mine = [child for child in client().children(record.id) if child.kind == kind and child.wanted != "cancelled"]
    for child in mine:
        if child.options != options:
            steer_child(child)
    if not any(child.options == options for child in mine):
        client().add_child(record.id, kind, options)


def steer_child(child: RunRecord) -> None:
    """End a child."""
    with suppress(NotAllowed, UnknownRun):
        client().cancel(child.id, st.session_state.session)
