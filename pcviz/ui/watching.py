"""What a page says and offers on a shared server when it may only watch."""

import streamlit as st

from pcviz.store import RunRecord
from pcviz.ui import controls, session


def line(record: RunRecord | None) -> None:
    """Draw why the buttons are disabled, if they are, and what to do about it; nothing on a private server."""
    if not session.owner_key():
        st.caption("Only watching, until this browser has said who it is …")
    elif record is not None and session.watches(record):
        with st.container(horizontal=True, vertical_alignment="center", key="watching"):
            st.markdown("You are watching the run of another user.", width="content")
            st.button(
                "Copy its settings to a run of your own",
                key="copy",
                icon=":material/content_copy:",
                on_click=_copy,
                args=(record,),
            )
    elif not st.session_state.memory.lasting:
        st.caption("This browser stores nothing for this page: you steer your runs as long as this tab is open.")


@session.reporting()
def _copy(record: RunRecord) -> None:
    """Leave the run and put its settings into the form, ready to start."""
    controls.fill(record.experiment.differences())
    for key in ("run", "baseline"):
        session.show(key, None)
