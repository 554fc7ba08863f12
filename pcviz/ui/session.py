"""The state of a browser tab, and its address: settings, the runs it shows, the key that owns its runs."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import streamlit as st

from pcviz.engine.access import NotAllowed, fits, token
from pcviz.engine.client import NO_KEY, Client, connect
from pcviz.experiment import Experiment
from pcviz.experiment.looks import LookOptions
from pcviz.instruments import options_of
from pcviz.live import serving
from pcviz.store import RunRecord, StoreFault, StoreFull, UnknownRun, Unreadable
from pcviz.ui import back, browser, controls, look_options, markdown, present, url, widgets
from pcviz.ui.instruments import FRESH, INSTRUMENTS, on
from pcviz.ui.pages import HOME

WRONG_LINK = "control: this link does not fit the run, so you only watch. Ask its owner for the control link"
MOST_ADDRESSES = 200
"""Addresses of our own that a session remembers."""


def client() -> Client:
    """The server's handle on runs, shared by all sessions."""
    return connect(serving.settings())


def begin(page: str) -> None:
    """Take over the address before anything is drawn, unless we wrote it. Raises StoreFault here, not in some part of
    the page, if the store cannot be read."""
    client().store.reader.runs(1)
    st.session_state.setdefault("session", uuid.uuid4().hex)
    st.session_state.setdefault("memory", browser.Memory())
    known = st.session_state.setdefault("addresses", [])
    query = st.query_params.to_dict()
    control, mark = query.pop("control", None), back.take_mark(query)
    widgets.put_again()
    _turn_to(page)
    # A slow browser may still send an address that we have replaced since. Following it would undo what the user did
    # meanwhile, so addresses that we wrote are taken over again only after Back and Forward.
    ours = query in known or _is_page_switch(page, query)
    fresh = "settings" not in st.session_state
    if page == HOME and not fresh:
        back.done(mark)  # its address holds nothing to follow
    elif back.is_news(mark) or fresh or not ours:
        repeated = [key for key in query if len(st.query_params.get_all(key)) > 1]
        _adopt(page, url.parse(query, repeated, page))
        known.append(query)
        back.done(mark)
    if control is not None:
        _open_control_link(query.get("run", ""), control)
    st.session_state.page = page
    if client().shared:
        browser.ask(st.session_state.memory)


def _turn_to(page: str) -> None:
    """Every page shows runs of its own kind: keep those of the page that is left, restore those of the new one."""
    left, shelves = st.session_state.get("page"), st.session_state.setdefault("runs_of", {})
    st.session_state.runs = shelves.setdefault(page, {})
    if left is not None and left != page:
        st.session_state.notices = []
        controls.restore()


def remember() -> None:
    """Put settings and runs into the address after everything is drawn, once the browser has sent its key."""
    if not owner_key():
        widgets.remember_sent(st.session_state.page, st.query_params.to_dict())
        return
    page, runs = st.session_state.page, st.session_state.runs
    options = look_options.texts(page, record())
    if page == HOME:
        query = url.query({}, {}, present=present.on())
    else:
        query = url.query(st.session_state.settings, runs, options, lasting=bool(runs), present=present.on())
    known = st.session_state.addresses
    if query not in known:
        known.append(query)
        del known[:-MOST_ADDRESSES]
    sent: widgets.Sent | None = st.session_state.get("sent")
    back.go(query, turned_to=None if sent is None or sent.page == page else page)
    widgets.remember_sent(page, query)


def _is_page_switch(page: str, query: dict[str, str]) -> bool:
    """Links between pages drop the query string; `remember` puts it back, unless it is interrupted before."""
    sent = st.session_state.get("sent")
    return not query and (st.session_state.get("page") != page or (sent is not None and sent.page != page))


def _adopt(page: str, state: url.State) -> None:
    """Fill form and runs from an address. One with a version holds all settings that are not defaults; others
    leave out settings of their run.

    A training run opened on the Inference page becomes the source of the weights that are relaxed there.
    """
    values, runs, notices = {}, {}, list(state.faults)
    for key, run in state.runs.items():
        if (record := find(run)) is None:
            notices.append(f"{key}: {run} is not known here; it may have been deleted")
            continue
        if record.unreadable:
            notices.append(f"{key}: {run} cannot be read by this pcviz: {record.unreadable}")
            continue
        if key == "run" and not state.whole:
            values = record.experiment.differences()
        if record.kind in (on(page) or ("train",)):
            runs[key] = run
        elif key == "run" and record.kind in INSTRUMENTS:
            notices.append(f"{key}: {run} is shown on the page {INSTRUMENTS[record.kind].page.capitalize()}")
        elif key == "run" and record.kind == "train" and page == "inference":
            state.options["relax"].setdefault("source", run)
    notices += _without_sources(state)
    controls.fill({**values, **state.values})
    st.session_state.runs_of[page] = st.session_state.runs = runs
    st.session_state.notices = notices
    present.turn(state.present)
    look_options.adopt(page, state)


def _without_sources(state: url.State) -> list[str]:
    """Remove training runs that are not known here from the options of looks; one message each."""
    messages = []
    for kind, options in state.options.items():
        for key in [key for key in options if INSTRUMENTS[kind].fields[key] == "source"]:
            run = None if options[key] in (None, FRESH) else find(options[key])
            if options[key] not in (None, FRESH) and (run is None or run.kind != "train"):
                messages.append(f"{key}: {options.pop(key)} is not known here; it may have been deleted")
    return messages


def find(run: str) -> RunRecord | None:
    """The run with this id; None if there is none (any more)."""
    try:
        return client().get(run)
    except UnknownRun:
        return None


def record(key: str = "run") -> RunRecord | None:
    """The run shown (or its `baseline`), None if there is none. A run deleted meanwhile is forgotten, with a notice."""
    run = st.session_state.runs.get(key)
    if run is None:
        return None
    found = find(run)
    if found is not None and not found.unreadable:
        return found
    why = "was deleted" if found is None else f"cannot be read by this pcviz: {found.unreadable}"
    st.session_state.notices = [f"{key}: {run} {why}"]
    del st.session_state.runs[key]
    return None


def show(key: str, run: str | None) -> None:
    """Show another run, or none."""
    st.session_state.runs.pop(key, None)
    if run is not None:
        st.session_state.runs[key] = run
    st.session_state.notices = []


def _open_control_link(run: str, control: str) -> None:
    """Let this browser steer a run from now on, if it has opened the run's control link."""
    if (record := find(run)) is None:
        return
    if browser.SECRET.fullmatch(control) and fits(control, record.control):
        st.session_state.memory.links[run] = control
    elif client().shared:
        st.session_state.notices = list(dict.fromkeys([*st.session_state.notices, WRONG_LINK]))


def owner_key() -> str:
    """The key that owns runs started here: on a shared server the browser's, "" until the browser has sent it."""
    return str(st.session_state.memory.key if client().shared else st.session_state.session)


def proof(record: RunRecord) -> str:
    """The proof that this browser has for steering a run; it may not suffice."""
    own = owner_key()
    return own if client().may(record, own) else st.session_state.memory.links.get(record.parent or record.id, "")


def watches(record: RunRecord | None) -> bool:
    """Whether this page may only watch: the run has another owner, or the browser has not sent its key yet."""
    return not owner_key() or (record is not None and not client().may(record, proof(record)))


def refuse() -> None:
    """Say why this page only watches."""
    st.session_state.notices = [str(NotAllowed()) if owner_key() else NO_KEY]


def control_token(record: RunRecord) -> str:
    """The token of a run's control link; "" if this browser may not steer it, or everybody may."""
    known = st.session_state.memory.links.get(record.id) or token(owner_key(), record.id)
    return known if client().shared and fits(known, record.control) else ""


def keep_tokens() -> dict[str, str]:
    """Run -> token with which this tab renews it while it is open, for the runs shown that it may steer."""
    shown = [found for key in url.RUN_KEYS if (found := record(key)) is not None and not watches(found)]
    return {found.id: client().keep_token(found.id, proof(found)) for found in shown}


def start(experiment: Experiment, allowed_until_step: int | None = None, *, beside: bool = False) -> str:
    """Start a run, which pauses at `allowed_until_step`; returns its id. It replaces the runs shown, or is shown
    `beside` them. Raises what `reporting` reports."""
    details: dict[str, Any] = {"allowed_until_step": allowed_until_step, "leaving": () if beside else shown_runs()}
    return client().start(experiment, st.session_state.session, owner_key(), **details)


@contextmanager
def reporting() -> Iterator[None]:
    """Report on the page what is refused or fails inside, most often in a callback."""
    try:
        yield
    except NotAllowed:
        refuse()
    except StoreFault as fault:
        st.session_state.notices = [f"{fault}. This click changed nothing: try again"]
    except (StoreFull, UnknownRun, Unreadable) as error:
        st.session_state.notices = [str(error)]


def steer(action: str, key: str = "run", **details: Any) -> None:
    """Pause, resume, step, reset or cancel the run shown. Refused if this browser may not steer it."""
    run = st.session_state.runs.get(key)
    if run is None:
        return
    st.session_state.notices = []  # read by now, and perhaps no longer true
    with reporting():
        getattr(client(), action)(run, proof=proof(client().get(run)), **details)


def notices() -> None:
    """What was wrong with the address, or with a request: one line each, until the next start."""
    if st.session_state.notices:
        st.warning(markdown.lines(st.session_state.notices), icon=":material/warning:")


@st.cache_data(ttl=5, show_spinner=False)
def history() -> list[tuple[Experiment, int, float]]:
    """Experiment, weight steps and compute seconds of recent runs, to estimate this machine's speed."""
    runs = client().store.reader.runs(40)  # of all owners: nothing else of them is shown
    return [(run.experiment, run.step, run.seconds) for run in runs if run.kind == "train" and not run.unreadable]


@st.cache_data(ttl=5, show_spinner=False)
def looks(kind: str) -> list[tuple[Experiment, LookOptions, float]]:
    """Experiment, options and compute seconds of recent looks of a kind that finished, as `history`."""
    ended = [run for run in client().store.reader.runs(40) if run.kind == kind and run.state == "done"]
    readable = ((run, options_of(kind, run.options)) for run in ended if not run.unreadable)
    return [(run.experiment, options, run.seconds) for run, options in readable if options is not None]


def trainings(named: str | None = None) -> dict[str, RunRecord]:
    """Training runs that have begun, newest first: those of this owner, and the run `named` (whoever knows its id may
    read it)."""
    found = {run.id: run for run in client().runs(50, owner_key())}
    if named is not None and named not in found and (run := find(named)) is not None:
        found[named] = run
    begun = (run for run in found.values() if not run.unreadable and run.kind == "train" and run.step > 0)
    return {run.id: run for run in begun}


def shown_runs() -> list[str]:
    """Ids of the run shown and of its baseline, in this order."""
    return [st.session_state.runs[key] for key in url.RUN_KEYS if key in st.session_state.runs]


def with_children(record: RunRecord, wanted: dict[str, dict[str, Any]]) -> None:
    """Give the run these children (kind -> options), one of each kind: those that they replace are deleted, and so are
    those that this tab has asked for and wants no longer. A page that only watches shows the children that exist."""
    if watches(record):
        return
    asked: set[str] = st.session_state.setdefault("children", set())
    there: set[str] = set()
    for child in client().children(record.id):
        fits = wanted.get(child.kind) == child.options and child.kind not in there
        if fits and (child.wanted != "cancelled" or record.wanted == "cancelled"):
            there.add(child.kind)
            asked.add(child.id)
        elif child.kind in wanted or child.id in asked:
            with suppress(UnknownRun):
                client().delete(child.id, proof(child))
    for kind in [kind for kind in wanted if kind not in there]:
        with reporting():
            asked.add(client().add_child(record.id, kind, wanted[kind], proof(record)))
