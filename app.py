"""pcviz in the browser: `streamlit run app.py`."""

# ruff: noqa: E402
from pcviz.live import heap

heap.keep_small()  # before anything is done twice

from pathlib import Path

import streamlit as st

from pcviz.live import stream
from pcviz.ui import trouble

live = stream.live()
app = st.App(
    Path(__file__).parent / "pcviz" / "ui" / "shell.py",
    lifespan=live.lifespan,
    routes=live.routes(),
    middleware=live.middleware(),
    on_script_error=trouble.anywhere,
)
