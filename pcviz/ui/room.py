"""Space in the store, as a page shows it: why nothing new may start, and the button that keeps a run for good."""

from functools import partial

import streamlit as st

from pcviz.experiment import Experiment
from pcviz.store import RunRecord
from pcviz.ui import session, trouble, widgets

LOOK_SECONDS = 5.0
PIN_HELP = "Pin keeps a run when the store is full: then other runs that have ended are deleted, oldest first."
"""For the help of a page: a button with help of its own is drawn twice by Streamlit, once for touch screens."""


def refusals(kind: str, experiment: Experiment | None) -> list[str]:
    """Why there is no room for a new run of this kind: one line, or none. The runs shown count as left."""
    if experiment is None:
        return []
    full = session.client().full(kind, experiment, session.owner_key(), session.shown_runs())
    return [full] if full else []


def wait(kind: str, experiment: Experiment | None) -> None:
    """Redraw the page once there is room."""

    @st.fragment(run_every=LOOK_SECONDS)
    @trouble.reporting()
    def watch() -> None:
        if not refusals(kind, experiment):
            st.rerun()

    watch()


def pin(record: RunRecord | None) -> None:
    """The button that pins the run shown, or unpins it."""
    pinned = record is not None and record.pinned
    label, icon = ("Unpin", "keep_off") if pinned else ("Pin", "keep")
    act = partial(session.steer, "pin", pinned=not pinned)
    widgets.button("pin", label, icon, act, enabled=record is not None and not session.watches(record))
