"""The script behind every page: page settings, style, navigation, and the address that follows the state."""

from pathlib import Path

import streamlit as st

from pcviz.live import serving
from pcviz.ui import back, narrow, session, style, trouble, unreadable

PAGES = Path(__file__).parent / "scripts"

# Drawn here, because Streamlit's own icons come from another host.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M3 13V8m5 5V3m5 10V6" fill="none" \
stroke="#0072B2" stroke-width="3" stroke-linecap="round"/></svg>"""

st.set_page_config(page_title="pcviz", page_icon=ICON, layout="wide")
st.html(style.CSS)
page = st.navigation(
    [
        st.Page(PAGES / "1_train.py", title="Train", icon=":material/play_circle:", default=True),
        st.Page(PAGES / "2_inference.py", title="Inference", icon=":material/biotech:", url_path="inference"),
        st.Page(PAGES / "3_landscape.py", title="Landscape", icon=":material/landscape:", url_path="landscape"),
    ]
)
back.keep()  # first, so that Back works while the page is still being sent
narrow.keep()
with trouble.reporting():
    session.begin(page.url_path)
    page.run()
    unreadable.runs()
    session.remember()
if note := serving.note():
    st.sidebar.caption(note)
