"""Phones: the sidebar lies over the page there, so it closes after a choice in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

WIDTH = 640
"""Pixels up to which a screen is narrow."""


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_narrow", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def keep() -> None:
    """Let the sidebar close on narrow screens; the same element on every page."""
    _component()(key="narrow", data={"width": WIDTH})
