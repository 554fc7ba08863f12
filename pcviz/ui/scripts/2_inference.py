"""Inference: what happens inside one relaxation?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments.relaxation import view as relax
from pcviz.instruments.relaxation.options import Options
from pcviz.ui import caption, controls, look, panels, present, session, share, words

form = controls.form(relax.drawn)
words.offer(glossary.INFERENCE)

with st.container(horizontal=True, vertical_alignment="center", key="title_row"):
    st.markdown("**Inference** · what happens inside one relaxation?", width="content", help=relax.KEYS_HELP)
    present.button()
session.notices()
look.transport(relax.VIEW, form, relax.choose(form))
relax.sentences()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
compared = (Options.model_validate(run.options) if run else relax.chosen()).compared(experiment)
race = {"solvers": compared, "x": relax.race_axis()}
panels.live(
    experiment,
    session.shown_runs(),
    {"solver-race": race, "network": {"examples": False}},
    key="inference",
    panels=["network", *relax.VIEW.panels],
    keep=session.keep_tokens(),
    scrub="trace_steps",
    about=caption.line(experiment, run.kind, run.options) if run else None,
    choices=relax.choices(),
    chosen=relax.take,
    story=relax.VIEW.story,
    metric_row=relax.VIEW.metric_row(layers=str(experiment.network.depth)),
)
share.configuration(form.experiment or experiment, relax.chosen())
