"""The browser's history: one entry for each switch of pages, and Back and Forward that the server can tell from a slow
browser's old address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

MARK = "back"
"""Key in the address of a page that Back or Forward has led to; each time with another value."""
ACKNOWLEDGED = "acknowledged"
"""Key in the server's answer to a marked address: the mark that it has received. Browsers may send it, not show it."""

_SCRIPT = f"""
export default function () {{
  if (window.pcvizHistory) return;
  window.pcvizHistory = true;
  const native = {{ push: history.pushState.bind(history), replace: history.replaceState.bind(history) }};
  let switched = false; // Streamlit goes to the bare address of a page, then to the one with its settings
  let waiting = false; // for the answer to a mark; what comes before it answers an address that Back has left
  let marks = 0; // two may be made in one millisecond
  const follow = (go) => (state, title, target) => {{
    const here = new URL(location.href);
    const url = new URL(target ?? "", here);
    const acknowledged = url.searchParams.get("{ACKNOWLEDGED}");
    url.searchParams.delete("{ACKNOWLEDGED}");
    const same = url.pathname === here.pathname;
    if (same && acknowledged !== null ? acknowledged !== here.searchParams.get("{MARK}") : waiting) return;
    if (acknowledged !== null || (same && switched)) native.replace(state, title, url);
    else go(state, title, url);
    waiting = false;
    switched = !same;
  }};
  history.pushState = follow(native.push);
  history.replaceState = follow(native.replace);
  const byHand = () => {{ switched = waiting = false; }};
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, byHand, {{ capture: true }});
  const mark = () => {{
    switched = false;
    waiting = true;
    const address = new URL(location.href);
    address.searchParams.set("{MARK}", `${{Date.now()}}-${{++marks}}`);
    native.replace(history.state, "", address);
  }};
  // A page that was loaded with a mark waits for no answer: the server's came before this script.
  const loaded = new URL(location.href);
  loaded.searchParams.delete("{MARK}");
  if (loaded.href !== location.href) native.replace(history.state, "", loaded);
  // The mark must be there before Streamlit reads the address, at popstate.
  if (window.navigation) {{
    navigation.addEventListener("currententrychange", ({{ navigationType }}) => {{
      if (navigationType === "traverse") mark();
    }});
  }} else {{
    window.addEventListener("popstate", (event) => {{
      if (event.isTrusted) mark(), window.dispatchEvent(new PopStateEvent("popstate", {{ state: history.state }}));
    }});
  }}
}}
"""


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_history", js=_SCRIPT)


def keep() -> None:
    """Let the browser mark addresses that Back and Forward lead to; the same element on every page."""
    _component()(key="history")


def take_mark(query: dict[str, str]) -> str | None:
    """The mark of an address that Back or Forward has led to; None of any other. Takes our keys out of `query`."""
    found, _ = query.pop(MARK, None), query.pop(ACKNOWLEDGED, None)
    return None if found == st.session_state.setdefault("loaded_with_mark", found) else found


def is_news(mark: str | None) -> bool:
    """Whether Back or Forward has led here since the page last did what the address asks."""
    return mark is not None and mark != st.session_state.get("went_back")


def done(mark: str | None) -> None:
    """The page has done what an address with this mark asks: only now, for it may have been interrupted before."""
    st.session_state.went_back = mark


def go(query: dict[str, str]) -> None:
    """Let the browser show this address, if it shows another one or waits for the answer to a mark."""
    shown = st.query_params.to_dict()
    if (answered := take_mark(shown)) is not None:
        st.query_params.from_dict({**query, ACKNOWLEDGED: answered})
    elif query != shown:
        st.query_params.from_dict(query)
