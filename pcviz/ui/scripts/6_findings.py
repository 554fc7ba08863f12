"""Findings: what the papers claim, measured again here."""

import streamlit as st

from pcviz import glossary
from pcviz.instruments.reproduce import view as findings
from pcviz.ui import caption, controls, look, panels, present, room, session, words

form = controls.rest("Findings: all options are above the panels.")
words.offer(glossary.FINDINGS)

with st.container(horizontal=True, vertical_alignment="center", key="title_row"):
    st.markdown("**Findings** · is it so?", width="content", help=room.PIN_HELP)
    present.button()
session.notices()
choice = findings.choose(form)
look.transport(findings.VIEW, form, choice)
findings.verdict()

run = session.record()
shown = [] if findings.outdated(run) else session.shown_runs()
experiment = run.experiment if run else controls.nearest(form)
figures = findings.figures(run.options if run else choice.options or {})
panels.live(
    experiment,
    shown,
    figures,
    key="findings",
    panels=[*figures],
    keep=session.keep_tokens(),
    about=caption.line(experiment, run.kind, run.options) if run else None,
    story=findings.VIEW.story,
    metric_row=findings.VIEW.metric_row(),
)
findings.claims()
findings.overview()
