"""Scaling: what changes with width, depth, rates and seeds?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments import views
from pcviz.instruments.reproduce import view as findings
from pcviz.instruments.sweep import cell
from pcviz.instruments.sweep import view as sweep
from pcviz.ui import caption, controls, look, panels, present, room, session, share, words

with st.container(horizontal=True, vertical_alignment="center", key="title_row"):
    st.markdown("**Scaling** · does it transfer?", width="content", help=room.PIN_HELP)
    view = views.view("scaling")
    findings.links()
    present.button()
form = (
    controls.form(controls.applies, sweep.vary_button)
    if view is sweep.VIEW
    else controls.rest(f"{view.label}: all options are above the panels.")
)
words.offer(glossary.SCALING)
session.notices()
choice = view.choose(form)
look.transport(view, form, choice)
look.follow()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
figures = view.figures(run.options if run else choice.options or {})
panels.live(
    experiment,
    session.shown_runs(),
    figures,
    key="scaling",
    panels=[*figures],
    keep=session.keep_tokens(),
    about=caption.line(experiment, run.kind, run.options) if run else None,
    story=view.story,
    metric_row=view.metric_row(),
    picked=cell.picked,
)
if view is sweep.VIEW:
    cell.show(run)
    share.configuration(form.experiment or experiment)
