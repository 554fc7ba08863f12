"""Keyboard: `p` presents on every page; where a run is steered, Space plays and pauses, `s` steps, `x` resets and 1 to
9 choose panels; only while no input has the focus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_keys", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def listen(*, steering: bool) -> None:
    """Let keys press the button `presenting`, and if they are `steering` also `play`, `pause`, `step` and `reset`, and
    those that choose panels."""
    _component()(key="keys", data={"steering": steering})
