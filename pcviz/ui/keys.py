"""Keyboard: Space plays and pauses, `s` steps, `x` resets, `p` presents, 1 to 9 choose panels, only while no input has
the focus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_keys", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def listen() -> None:
    """Let keys press the buttons `play`, `pause`, `step`, `reset` and `presenting`, and those that choose panels."""
    _component()(key="keys")
