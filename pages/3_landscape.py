"""Landscape: what surface does predictive coding learn on?"""

import streamlit as st

from pcviz.figures import PLANE_PANELS
from pcviz.ui import controls, landscape, panels, session, share

form = controls.form()

st.markdown("**Landscape** · what surface does predictive coding learn on?")
session.notices()
options, wrong = landscape.choose(form)
landscape.transport(form, options, wrong)

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
panels.live(
    experiment,
    session.shown_runs(),
    key="landscape",
    panels=list(PLANE_PANELS),
    metrics=landscape.metrics(),
    nonce=landscape.walks(),
    picked=landscape.walk_from,
)
share.configuration(form.experiment or experiment)
