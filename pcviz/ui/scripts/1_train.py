"""Train: how does this network learn?"""

import streamlit as st

from pcviz.instruments.training import reading, transport
from pcviz.instruments.training import view as options
from pcviz.ui import controls, keys, panels, session, share

form = controls.form()

st.markdown("**Train** · how does this network learn?", help=transport.KEYS_HELP)
session.notices()
transport.transport(form)
keys.listen()

run = session.record()
experiment = run.experiment if run else controls.nearest(form)
view = options.chosen(experiment, run)
if run:
    session.with_children(run, view.children)
panels.live(
    experiment,
    session.shown_runs(),
    view.figures,
    panels=view.panels,
    keep=session.keep_tokens(),
    story=reading.story(experiment),
    nonce=f"{view.example} {view.layer} {view.until} {view.at}",
    picked=options.pick,
    replayed=None if session.watches(run) else options.replay,
)
options.choose(experiment, run)
share.configuration(form.experiment or experiment)
