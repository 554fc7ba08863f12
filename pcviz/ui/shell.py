"""The script behind every page: page settings, style, navigation, and the address that follows the state."""

import streamlit as st

from pcviz.live import serving
from pcviz.ui import back, keys, narrow, pages, present, session, style, trouble, unreadable

# Drawn here, because Streamlit's own icons come from another host.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M3 13V8m5 5V3m5 10V6" fill="none" \
stroke="#0072B2" stroke-width="3" stroke-linecap="round"/></svg>"""

st.set_page_config(page_title="pcviz", page_icon=ICON, layout="wide")
st.html(style.CSS)
page = st.navigation(pages.all_pages())
back.keep()  # first, so that Back works while the page is still being sent
narrow.keep()
keys.listen(steering=page.url_path == pages.TRAIN)
with trouble.reporting():
    session.begin(page.url_path)
    if present.on():
        st.html(present.CSS)
        if page.url_path == pages.HOME:  # the others have the button beside their title
            present.button()
    page.run()
    unreadable.runs()
    session.remember()
if note := serving.note():
    st.sidebar.caption(note)
