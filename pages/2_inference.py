"""Inference: what happens inside one relaxation?"""

import streamlit as st

from pcviz.comparison import Options
from pcviz.figures import INFERENCE_PANELS
from pcviz.ui import controls, panels, relax, session, share

form = controls.form(relax.drawn)

st.markdown("**Inference** · what happens inside one relaxation?", help=relax.KEYS_HELP)
session.notices()
options = relax.choose(form)
relax.transport(form, options)
relax.said()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
compared = (Options.model_validate(run.options) if run else options).compared(experiment)
race = {"solvers": compared, "x": st.session_state.race_axis}
panels.live(
    experiment,
    session.shown_runs(),
    {"solver-race": race},
    key="inference",
    panels=list(INFERENCE_PANELS),
    scrub="trace_steps",
    metrics=relax.metrics(experiment),
)
share.configuration(form.experiment or experiment, options)
