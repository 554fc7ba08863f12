"""Landscape: what surface does predictive coding learn on?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments import views
from pcviz.instruments.plane import view as planes
from pcviz.ui import caption, controls, look, panels, present, room, session, share, words

with st.container(horizontal=True, vertical_alignment="center"):  # wraps on a phone
    st.markdown("**Landscape** · what surface does predictive coding learn on?", width="content", help=room.PIN_HELP)
    view = views.view("landscape")
    present.button()
form = (
    controls.form(views.drawn) if view.of_network else controls.rest(f"{view.label}: all options are above the panels.")
)
words.offer(glossary.LANDSCAPE)
session.notices()
choice = view.choose(form)
look.transport(view, form, choice)
look.follow()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
panels.live(
    experiment,
    session.shown_runs(),
    view.figures(run.options if run else choice.options or {}),
    key="landscape",
    panels=list(view.panels),
    keep=session.keep_tokens(),
    about=caption.line(experiment, run.kind, run.options) if run else None,
    story=view.story,
    metric_row=view.metric_row(),
    nonce=planes.walk(),
    picked=planes.walk_from,
)
if view.of_network:
    share.configuration(form.experiment or experiment)
