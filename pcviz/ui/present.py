"""For a projector: large text, few panels, and no controls but those that play, pause and step."""

import streamlit as st

CSS = """
<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stHeader"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 0.6rem 1rem 0.4rem; max-width: none; }
[data-testid="stMain"] :is(p, button p, label) { font-size: 22px; line-height: 30px; }
.st-key-title_row [data-testid="stButtonGroup"] button { min-height: 44px; }
[class*="st-key-"][class*="_row"]:not(.st-key-title_row), .st-key-configuration { display: none; }
</style>
"""


def on() -> bool:
    """Whether this tab presents."""
    return bool(st.session_state.get("present", False))


def turn(to: bool) -> None:
    """Begin or end to present."""
    st.session_state.present = to


def button() -> None:
    """Draw the button that begins or ends it."""
    label, icon = ("Leave", "close_fullscreen") if on() else ("Present", "slideshow")
    st.button(label, key="presenting", icon=f":material/{icon}:", on_click=turn, args=(not on(),))
