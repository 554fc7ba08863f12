"""The network that a page looks at, by default the one that was just trained, until the form is edited; and the
name of its run."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pcviz.experiment import Experiment
from pcviz.store import RunRecord
from pcviz.ui import controls, session, widgets
from pcviz.ui.instruments import FRESH
from pcviz.ui.pages import TRAIN


class Followed(NamedTuple):
    """What a page has followed: a training, and what its widgets held for it."""

    run: str
    held: dict[str, Any]


def follow(
    page: str,
    form: controls.Form,
    trained: Callable[[RunRecord], dict[str, Any]],
    fresh: dict[str, Any],
    *,
    opened: bool,
    run: str | None = None,
) -> None:
    """Let `page` look at the training run that the Train page shows: its widgets then hold `trained(record)`, even as
    it continues, until the user chooses something else. If the form was edited since (and `run`, if given, is the run
    followed), they hold `fresh`. A page that was `opened` by an address keeps what the address names."""
    followed: dict[str, Followed] = st.session_state.setdefault("followed", {})
    record, last = _trained(form), followed.get(page)
    if record is not None and record.step:
        news = Followed(record.id, trained(record))
        is_new = last is None or last.run != news.run
        untouched = last is not None and all(st.session_state.get(key) == held for key, held in last.held.items())
        if (is_new and not opened) or (not is_new and untouched and news != last):
            widgets.put(news.held)
        if is_new or untouched:
            followed[page] = news
    elif last is not None and run in (None, last.run) and _trained(form, last.run) is None:
        widgets.put(fresh)
        del followed[page]


def follow_source(page: str, form: controls.Form, source: str, step: str, *, opened: bool) -> None:
    """`follow` on a page with a choice of a run and its step: `source` and `step` are the keys of these widgets."""
    chosen: str = st.session_state[source]
    follow(page, form, lambda run: {source: run.id, step: None}, {source: FRESH}, opened=opened, run=chosen)


def _trained(form: controls.Form, run: str | None = None) -> RunRecord | None:
    """The training run that the Train page shows, or `run`, if the form would train the same; its settings of inference
    may differ, because pages look at those."""
    run = run or st.session_state.get("runs_of", {}).get(TRAIN, {}).get("run")
    if run is None or form.experiment is None:
        return None
    record = session.find(run)
    if record is None or record.unreadable or record.kind != "train":
        return None
    shown, chosen = record.experiment, form.experiment
    same = all(
        getattr(shown, part) == getattr(chosen, part) for part in ("network", "learning", "data", "seed", "dtype")
    )
    return record if same else None


def name(record: RunRecord) -> str:
    """The name of a run for users: "run of 14:02"; of another day, "run of 3 May, 14:02"."""
    zone = _zone()
    at, now = datetime.fromtimestamp(record.created_at, zone), datetime.now(zone)
    return f"run of {at:%H:%M}" if at.date() == now.date() else f"run of {at.day} {at:%b, %H:%M}"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def line(record: RunRecord | None, form: controls.Form) -> None:
    """Draw which network the panels show: that of a training run, or that of a form."""
    if record is None or record.kind == "chain":
        return
    source = record.options.get("source") if record.kind != "plane" else None
    step = record.options.get("step")
    text = _network(record.experiment)
    if source is not None:
        trained = session.find(source)
        text = f"{name(trained) if trained else 'a run that was deleted'}, {text}"
        frame = session.client().last_frame(record.id)
        step = frame.values.get("source_step") if frame and step is None else step
        after = "" if step is None else f", step {int(step):,}"
    else:
        after = f", after {step:,} steps of training" if step else ", fresh weights"
    edited = form.experiment is not None and form.experiment != record.experiment
    st.caption(f"The panels show: {text}{after}.{' The form was edited since.' if edited else ''}")


def _network(experiment: Experiment) -> str:
    network = experiment.network
    return f"{network.activation} {network.depth} × {network.width}"
