"""Scaling: what changes with width, depth, rates and seeds?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments.sweep import cell
from pcviz.instruments.sweep import view as sweep
from pcviz.ui import caption, controls, look, panels, present, room, session, share, words

form = controls.form(controls.applies, sweep.vary_button)
words.offer(glossary.SCALING)

with st.container(horizontal=True, vertical_alignment="center", key="title_row"):
    st.markdown("**Scaling** · does it transfer?", width="content", help=room.PIN_HELP)
    present.button()
session.notices()
choice = sweep.choose(form)
look.transport(sweep.VIEW, form, choice)
look.follow()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
figures = sweep.figures(run.options if run else choice.options or {})
panels.live(
    experiment,
    session.shown_runs(),
    figures,
    key="scaling",
    panels=[*figures],
    keep=session.keep_tokens(),
    about=caption.line(experiment, run.kind, run.options) if run else None,
    story=sweep.VIEW.story,
    metric_row=sweep.VIEW.metric_row(),
    picked=cell.picked,
)
cell.show(run)
share.configuration(form.experiment or experiment)
