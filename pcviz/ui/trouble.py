"""What a page shows while the store cannot be used: one line instead of its content."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pcviz.engine.client import connect
from pcviz.live import serving
from pcviz.store import StoreFault
from pcviz.ui import markdown

LOOK_SECONDS = 2.0


@contextmanager
def reporting() -> Iterator[None]:
    """Surround a page, or a part that redraws itself: a fault of the store inside is reported in its place, and the
    page is redrawn once that changes."""
    try:
        yield
    except StoreFault as fault:
        _say(fault)
        _wait(str(fault))


def anywhere(error: Exception) -> bool:
    """Report a fault of the store outside `reporting` (`on_script_error` of `st.App`); True if it was reported."""
    if isinstance(error, StoreFault):
        _say(error)
    return isinstance(error, StoreFault)


def _say(fault: StoreFault) -> None:
    st.error(markdown.plain(str(fault)), icon=":material/database_off:")


def _wait(message: str) -> None:
    checks = 0

    @st.fragment(run_every=LOOK_SECONDS)
    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == 1:
            return  # this is the drawing of the page itself
        try:
            connect(serving.settings()).store.reader.runs(1)
        except StoreFault as fault:
            if str(fault) == message:
                return
        st.rerun()

    check()
