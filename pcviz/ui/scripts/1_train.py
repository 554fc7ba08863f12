"""Train: how does this network learn?"""

import streamlit as st

from pcviz import glossary
from pcviz.instruments.training import reading, transport
from pcviz.instruments.training import view as options
from pcviz.ui import controls, panels, present, session, share, words

form = controls.form(options.drawn)
words.offer(glossary.TRAIN)

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="title_row"):
    if not present.on():
        st.markdown("**Train** · how does it learn?", help=transport.KEYS_HELP, width="content")
    options.choose_panels()
    if not present.on():
        options.baseline(session.record())
    present.button()
transport.begin_at_once()
session.notices()
transport.transport(form)

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
    choices=view.choices(experiment, watched=run is not None and session.watches(run)),
    chosen=options.choose,
    keep=session.keep_tokens(),
    story=reading.story(experiment),
    signs=reading.signs(experiment),
    nonce=f"{view.example} {view.layer} {view.until} {view.at}",
    picked=options.pick,
    replayed=None if session.watches(run) else options.replay,
    at=view.at,
)
if not present.on():
    share.configuration(form.experiment or experiment)
