"""Diagnose: why does it not learn?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments.diagnosis import view as diagnosis
from pcviz.ui import caption, controls, look, panels, present, session, share, words

form = controls.form(diagnosis.drawn)
words.offer(glossary.DIAGNOSE)

with st.container(horizontal=True, vertical_alignment="center", key="title_row"):
    st.markdown("**Diagnose** · why does it not learn?", width="content", help=diagnosis.KEYS_HELP)
    present.button()
session.notices()
look.transport(diagnosis.VIEW, form, diagnosis.choose(form))
diagnosis.verdict()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
panels.live(
    experiment,
    session.shown_runs(),
    {"network": {"examples": False}},
    key="diagnose",
    panels=diagnosis.VIEW.panels,
    keep=session.keep_tokens(),
    about=caption.line(experiment, run.kind, run.options) if run else None,
    story=diagnosis.VIEW.story,
    metric_row=diagnosis.VIEW.metric_row(),
)
share.configuration(form.experiment or experiment)
