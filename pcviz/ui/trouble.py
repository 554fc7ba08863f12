"""What a page says when the store cannot be used: one line instead of itself, until it can be."""

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
    """Around a page, or a part of one that draws itself anew: a store that fails inside is reported in its place, which
    is drawn anew once that is over."""
    try:
        yield
    except StoreFault as fault:
        _say(fault)
        _wait(str(fault))


def anywhere(error: Exception) -> bool:
    """The same where `reporting` is not around (`on_script_error` of `st.App`); True if it was reported."""
    if isinstance(error, StoreFault):
        _say(error)
    return isinstance(error, StoreFault)


def _say(fault: StoreFault) -> None:
    st.error(markdown.plain(str(fault)), icon=":material/database_off:")


def _wait(said: str) -> None:
    looks = 0

    @st.fragment(run_every=LOOK_SECONDS)
    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            return  # just now, when the page was drawn
        try:
            connect(serving.settings()).store.reader.runs(1)
        except StoreFault as fault:
            if str(fault) == said:
                return
        st.rerun()

    look()
