"""Stored runs that this version of pcviz cannot read: which, why, and how to export or delete them."""

import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from pcviz.experiment.faults import shown
from pcviz.store import RunRecord
from pcviz.ui import markdown, session

MOST = 20
"""Runs that are listed at once; the others follow when these are gone."""
HELP = (
    "Another version of pcviz wrote them, or something damaged them. They stay as they are: export each as a store of "
    "its own, for a pcviz that can read it, or delete it."
)


def runs() -> None:
    """Draw the list of these runs, if there are any."""
    found = session.client().unreadable(session.owner_key())
    if not found:
        return
    count = "1 stored run" if len(found) == 1 else f"{len(found)} stored runs"
    with st.expander(f"{count} cannot be read by this pcviz", icon=":material/unknown_document:", key="unreadable"):
        st.caption(HELP)
        for record in found[:MOST]:
            _run(record)


def _run(record: RunRecord) -> None:
    reason = f"{shown(record.kind)} {_started(record)} ({record.id[:8]}): {record.unreadable}"
    st.markdown(markdown.plain(reason))
    with st.container(horizontal=True, gap="small", key=f"unreadable_{record.id}"):
        st.download_button(
            "Export",
            partial(_exported, record.id, session.proof(record)),
            f"pcviz-run-{record.id[:8]}.db",
            "application/vnd.sqlite3",
            key=f"export_{record.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button(
            "Delete",
            key=f"delete_{record.id}",
            icon=":material/delete:",
            on_click=_delete,
            args=(record,),
        )


def _started(record: RunRecord) -> str:
    try:
        return f"of {datetime.fromtimestamp(record.created_at, UTC):%Y-%m-%d %H:%M} UTC"
    except (TypeError, ValueError, OverflowError, OSError):  # the time itself may be what cannot be read
        return ""


def _exported(run: str, proof: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="pcviz-") as folder:
        target = Path(folder) / "run.db"
        session.client().export(run, target, proof)
        return target.read_bytes()


def _delete(record: RunRecord) -> None:
    with session.reporting():
        session.client().delete(record.id, session.proof(record))
