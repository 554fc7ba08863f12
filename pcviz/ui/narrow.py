"""Phones: the sidebar lies over the page there, so it closes once it has led somewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

WIDTH = 640
"""Pixels up to which a screen is narrow."""

LATER_MS = 250

_SCRIPT = f"""
export default function () {{
  if (window.pcvizNarrow) return;
  window.pcvizNarrow = matchMedia("(max-width: {WIDTH}px)");
  const close = () => {{
    if (!window.pcvizNarrow.matches) return;
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (sidebar?.getBoundingClientRect().right > 1) {{
      document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
    }}
  }};
  // A page, a preset, or a touch beside it. Later: Streamlit forgets a choice in a sidebar that closes at once.
  document.addEventListener("click", ({{ target, isTrusted }}) => {{
    const inside = target.closest('[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-baseweb]');
    const leads = target.closest('[data-testid="stSidebarNavLink"], .st-key-preset [role="radio"]');
    if (isTrusted && (leads || !inside)) setTimeout(close, {LATER_MS});
  }}, {{ capture: true }});
  close(); // the browser remembers that it was open
}}
"""


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_narrow", js=_SCRIPT)


def keep() -> None:
    """Let the sidebar give way on narrow screens; the same element on every page."""
    _component()(key="narrow")
