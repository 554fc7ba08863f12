"""The browser's history: one entry for each switch of pages, and Back and Forward that the server can tell from a slow
browser's old address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

MARK = "back"
"""Key in the address of a page that Back or Forward has led to; each time with another value."""

_SCRIPT = f"""
export default function () {{
  if (window.pcvizHistory) return;
  window.pcvizHistory = true;
  // Streamlit goes to the bare address of a page, then to the one with its settings; and from a marked one to one
  // without the mark.
  let switched = false;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {{
    const here = new URL(location.href);
    const same = new URL(url ?? "", here).pathname === here.pathname;
    if (same && (switched || here.searchParams.has("{MARK}"))) history.replaceState(state, title, url);
    else push(state, title, url);
    switched = !same;
  }};
  const byHand = () => {{ switched = false; }};
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, byHand, {{ capture: true }});
  const mark = () => {{
    switched = false;
    const address = new URL(location.href);
    address.searchParams.set("{MARK}", Date.now());
    history.replaceState(history.state, "", address);
  }};
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


def went_back(query: dict[str, str]) -> bool:
    """Whether Back or Forward has led to this address just now. Takes the mark out of `query`."""
    mark = query.pop(MARK, None)
    if mark is None or mark == st.session_state.get("went_back"):
        return False
    st.session_state.went_back = mark
    return True
