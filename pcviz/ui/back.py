"""The browser's history: one entry for each switch of pages, and marks by which the server distinguishes Back and
Forward from a slow browser's old address."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pcviz.ui import pages

MARK = "back"
"""Key in the address of a page that Back or Forward has led to; each time with another value."""
ACKNOWLEDGED = "acknowledged"
"""Key in the server's answer to a marked address: the mark that it has received. Browsers may send it, not show it."""
PAGE = "page"
"""Key in the first address that the server sends after a switch of pages: the page that it is of. If the script runs
again at once, Streamlit drops the message that turns the browser to the page, but not that of the address, which comes
before the page then. Browsers may send it, not show it."""


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_history", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def keep() -> None:
    """Let the browser mark addresses that Back and Forward lead to; the same element on every page."""
    paths = [page.url_path for page in pages.all_pages()]
    _component()(key="history", data={"mark": MARK, "acknowledged": ACKNOWLEDGED, "page": PAGE, "pages": paths})


def take_mark(query: dict[str, str]) -> str | None:
    """The mark of an address that Back or Forward has led to; None of any other. Removes our keys from `query`."""
    found, _, _ = (query.pop(key, None) for key in (MARK, ACKNOWLEDGED, PAGE))
    return None if found == st.session_state.setdefault("loaded_with_mark", found) else found


def is_news(mark: str | None) -> bool:
    """Whether Back or Forward has led here with a mark whose address the page has not followed yet."""
    return mark is not None and mark != st.session_state.get("went_back")


def done(mark: str | None) -> None:
    """Note that the page has followed the address with this mark; not before, as the script may be interrupted."""
    st.session_state.went_back = mark


def go(query: dict[str, str], turned_to: str | None) -> None:
    """Let the browser show this address, if it shows another one or waits for the answer to a mark; after a switch of
    pages also which page it is of."""
    shown = st.query_params.to_dict()
    page = {} if turned_to is None else {PAGE: turned_to}
    if (answered := take_mark(shown)) is not None:
        st.query_params.from_dict({**query, **page, ACKNOWLEDGED: answered})
    elif query != shown:
        st.query_params.from_dict({**query, **page})
