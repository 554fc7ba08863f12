"""How much of the form is shown: the few fields that a newcomer needs, or all.

The browser remembers it in a cookie, which the server knows before it draws anything. Where there are no cookies (in a
frame of another site), the tab remembers it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pcviz.ui import inputs

KEY = "form_detail"
LABELS = {"simple": "Simple", "all": "All"}
COOKIE = "pcviz_form"


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("pcviz_detail", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def chosen() -> str:
    """The choice that was made last, in this tab or in an earlier one."""
    remembered = st.context.cookies.get(COOKIE)
    return str(st.session_state.setdefault("detail", remembered if remembered in LABELS else "simple"))


def choose() -> bool:
    """Draw the choice; returns whether all fields are shown."""
    if st.session_state.get(KEY) is None:  # not drawn yet, or lost by the browser
        st.session_state[KEY] = chosen()
    inputs.segments(
        "Settings",
        LABELS,
        KEY,
        format_func=LABELS.__getitem__,
        help="Simple shows the few settings to begin with. All shows every setting; hidden ones keep their values.",
    )
    st.session_state.detail = st.session_state[KEY]
    _component()(key="detail", data={"name": COOKIE, "value": st.session_state.detail})
    return st.session_state.detail == "all"
