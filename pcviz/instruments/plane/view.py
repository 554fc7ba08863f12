"""Planes: loss and F* around the weights, and clicks on a surface."""

from typing import Any

import streamlit as st

from pcviz.experiment.looks import unexamined
from pcviz.instruments.plane.figures import PANELS
from pcviz.instruments.plane.options import DIRECTIONS, SIZES, Options
from pcviz.ui import controls, inputs, look, look_options, session, source, subject
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [
    ("Computed", "{step} %", "Share of the work that is done: training up to the weights, then both surfaces"),
    ("Loss here", "{loss_here:g4}", "Mean loss of the probe examples at the weights that the plane goes through"),
    ("F* here", "{energy_here:g4}", "Energy at the equilibrium of inference, same weights and examples"),
    ("Path length seen", "{path_length:%0}", "Share of the training path's length that lies in the plane"),
    ("Path variance seen", "{path_variance:%0}", "Share of the training path's variance that lies in the plane"),
]


def choose(form: controls.Form) -> Choice:
    """Draw the row of controls above the panels; returns what they choose."""
    with look.taking_over("plane") as opened:
        subject.follow("plane", form, lambda trained: {"plane_step": trained.step}, {"plane_step": 0}, opened=opened)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="plane_row"):
        look_options.number("plane_step", width=150, step=10)
        inputs.select(
            "Plane",
            DIRECTIONS,
            "plane_directions",
            format_func=lambda name: DIRECTIONS[name].label,
            width=250,
            help="  \n".join(f"**{way.label}**: {way.help}." for way in DIRECTIONS.values()),
        )
        if st.session_state.plane_directions == "run":
            _other_run(form)
        inputs.select("Points a side", SIZES, "plane_size", width=110)
        look_options.number("plane_examples", width=110)
        with st.popover("Centre and span", icon=":material/crop_free:"):
            look_options.number("plane_span", step=0.1, placeholder="chosen")
            look_options.number("plane_x", step=0.1)
            look_options.number("plane_y", step=0.1)
    to_run = st.session_state.plane_directions == "run"
    reason = unexamined(form.experiment) if form.experiment else None
    fixed = None if to_run else {"source": None, "source_step": None}
    return look.choice("plane", lambda options: [reason] if reason else [], fixed)


def _other_run(form: controls.Form) -> None:
    """Stored runs of the same network."""
    network = form.experiment.network if form.experiment else None
    runs = {
        run.id: run
        for run in session.trainings(st.session_state.plane_source).values()
        if run.experiment.network == network
    }
    if st.session_state.plane_source not in runs:
        st.session_state.plane_source = next(iter(runs), None)
    inputs.select(
        "Other run",
        runs,
        "plane_source",
        format_func=lambda run: f"seed {runs[run].experiment.seed}, step {runs[run].step} ({run[:4]}…)",
        width=220,
        placeholder="no stored run of this network",
    )
    source.at_step("plane_source_step", stored=True)


def walk() -> str:
    """The walk of the run shown, by its id: a new one is read even if the run itself has ended."""
    record = session.record()
    found = [] if record is None else session.client().children(record.id)
    return next((child.id for child in reversed(found) if child.kind == "walk"), "")


@session.reporting()
def walk_from(point: dict[str, Any]) -> None:
    """Start both rules at the point of a surface that was clicked."""
    record = session.record()
    if record is not None and session.watches(record):
        session.refuse()
    elif record is not None and record.kind == "plane":
        session.with_children(record, {"walk": {"x": float(point["x"]), "y": float(point["y"])}})


def figures(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Options of the figures: both surfaces name their directions."""
    named = {"directions": Options.model_validate(options).directions}
    return {"surface-loss": named, "surface-energy": named}


PROMISE = "to map the loss and F*, the energy left once inference has settled, on a plane through the weights."
VIEW = View("plane", "Planes", "Survey", PROMISE, tuple(PANELS), METRICS, choose, figures)
VIEWS = {VIEW.kind: VIEW}
