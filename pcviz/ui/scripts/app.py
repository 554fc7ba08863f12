"""pcviz in the browser: what `pcviz serve` gives to Streamlit."""

# ruff: noqa: E402
from pcviz.live import heap

heap.keep_small()  # first: it may restart the process

from pathlib import Path
from typing import Any

import streamlit as st

from pcviz.live import clicks, stream
from pcviz.ui import trouble

clicks.let_callbacks_end()
live = stream.live()
PARTS: dict[str, Any] = {
    "script_path": Path(__file__).parents[1] / "shell.py",
    "lifespan": live.lifespan,
    "routes": live.routes(),
    "middleware": live.middleware(),
    "on_script_error": trouble.anywhere,
}
app = st.App(**PARTS)
