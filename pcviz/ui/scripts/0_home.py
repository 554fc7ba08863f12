"""Home: what is this, and where do I begin?"""

import streamlit as st

from pcviz.experiment.presets import HOME
from pcviz.ui import gallery, home, panels, session

st.markdown(home.WELCOME)
session.notices()

run = session.record()
if run:
    session.with_children(run, home.children())
panels.live(
    HOME,
    session.shown_runs(),
    home.PANELS,
    key="home",
    panels=list(home.PANELS),
    metric_row=[],
    keep=session.keep_tokens(),
    story=home.STORY,
    nonce=home.nonce(),
    recorded="home",
    picked=home.touch,
)
gallery.recent()
gallery.presets()
