"""pcviz in the browser: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from pcviz.ui import stream

app = st.App(Path(__file__).parent / "pcviz" / "ui" / "shell.py", lifespan=stream.lifespan, routes=stream.routes())
