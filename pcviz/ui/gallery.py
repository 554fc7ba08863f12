"""Where to go from the Home page: presets with a picture each, and the runs of last time."""

from collections.abc import Mapping

import streamlit as st

from pcviz.experiment import Experiment, cost
from pcviz.experiment.presets import PRESETS, Preset
from pcviz.live.assets import RECORDED
from pcviz.store import RunRecord
from pcviz.ui import controls, pages, session, source

COLUMNS = 3
RECENT = 3
"""Runs that can be continued from here."""
ALT = {
    "energy": "The energy of each layer over the weight steps of this run, and its test accuracy as a line.",
    "boundary": "The two moons, and where the trained network decides for which of them.",
}
LEGEND = (
    "Pictures of real runs: rows are layers, the output on top; from left to right the weight steps; bright is much "
    "energy; the line is the share of unseen examples that the network gets right. Of the two moons: the plane of "
    "inputs, and which of the two the trained network takes each point for."
)


def presets() -> None:
    """Draw the gallery: a card for each preset."""
    st.markdown("#### Start from", help=LEGEND)
    history = session.history()
    names = list(PRESETS)
    for first in range(0, len(names), COLUMNS):
        for name, place in zip(names[first : first + COLUMNS], st.columns(COLUMNS), strict=False):
            with place.container(border=True, key=f"card_{name}"):
                _card(name, PRESETS[name], history)


def _card(name: str, preset: Preset, history: list[tuple[Experiment, int, float]]) -> None:
    experiment = preset.experiment
    st.image(RECORDED / f"{name}.webp", width="stretch", alt=ALT[preset.picture])
    duration = cost.estimate(experiment, cost.slowdown(experiment, history)).seconds
    st.markdown(f"{preset.shows} Takes {cost.seconds_text(duration)}.")
    if st.button(preset.label, key=f"open_{name}", icon=":material/play_arrow:"):
        controls.fill(preset.changes)
        st.session_state.begin_at_once = True
        st.switch_page(pages.SCRIPTS / "1_train.py")


def recent() -> None:
    """Draw links to the newest trainings, if there are any."""
    found: Mapping[str, RunRecord] = session.trainings()
    if not found:
        return
    st.markdown("#### Continue where you were")
    with st.container(horizontal=True, gap="small", key="recent"):
        for run in list(found)[:RECENT]:
            st.page_link(
                pages.SCRIPTS / "1_train.py",
                label=source.label(run, dict(found)),
                icon=":material/history:",
                query_params={"run": run},
            )
