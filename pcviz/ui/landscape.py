"""The Landscape page's own controls: which weights, which plane, Survey and Cancel, and clicks on a surface."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from pcviz import cost
from pcviz.experiment import Experiment
from pcviz.faults import faults
from pcviz.landscapes import DIRECTIONS, SIZES, Options
from pcviz.ui import controls, session

LABELS = {
    "random": "random",
    "path": "training path (PCA)",
    "gradients": "down the loss, down F*",
    "curvature": "greatest and least curvature",
    "run": "to another run",
}
DEFAULTS: dict[str, Any] = {
    "plane_step": 0,
    "plane_directions": "random",
    "plane_size": 21,
    "plane_examples": 32,
    "plane_span": None,
    "plane_x": 0.0,
    "plane_y": 0.0,
    "plane_source": None,
}
METRICS: list[tuple[str, str, str]] = [
    ("Computed", "{step} %", "Share of the work that is done: training up to the weights, then both surfaces"),
    ("Loss here", "{loss_here:g4}", "Mean loss of the probe examples at the weights that the plane goes through"),
    ("F* here", "{energy_here:g4}", "Energy at the equilibrium of inference, same weights and examples"),
    ("Path length seen", "{path_length:%0}", "Share of the training path's length that lies in the plane"),
    ("Path variance seen", "{path_variance:%0}", "Share of the training path's variance that lies in the plane"),
]


def metrics() -> list[dict[str, Any]]:
    """The metric row."""
    made: list[dict[str, Any]] = [{"label": label, "value": value, "help": text} for label, value, text in METRICS]
    made[0]["progress"] = ["step", "steps"]
    return made


def choose(form: controls.Form) -> tuple[Options | None, list[str]]:
    """Draw the row of controls above the panels; the options, or what is wrong with them."""
    _recall()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="plane_row"):
        st.number_input(
            "Weights after step",
            0,
            100_000,
            step=10,
            key="plane_step",
            width=150,
            help="0: fresh weights. Others come from training anew from the seed, which gives the same ones again.",
        )
        st.selectbox(
            "Plane",
            list(LABELS),
            format_func=LABELS.__getitem__,
            key="plane_directions",
            width=250,
            help="  \n".join(f"**{LABELS[name]}**: {text}." for name, text in DIRECTIONS.items()),
        )
        if st.session_state.plane_directions == "run":
            _other_run(form)
        st.selectbox("Points a side", SIZES, key="plane_size", width=110)
        st.number_input(
            "Examples", 1, 1024, key="plane_examples", width=110, help="Both surfaces are means over these."
        )
        with st.popover("Centre and span", icon=":material/crop_free:"):
            st.number_input("Half extent", 0.001, 1e4, key="plane_span", placeholder="chosen", help="In directions.")
            st.number_input("Centre, direction 1", -1e4, 1e4, key="plane_x", step=0.1)
            st.number_input("Centre, direction 2", -1e4, 1e4, key="plane_y", step=0.1)
    st.session_state.plane_kept = {key: st.session_state.get(key, value) for key, value in DEFAULTS.items()}
    return _options()


def _options() -> tuple[Options | None, list[str]]:
    given = {key.removeprefix("plane_"): value for key, value in st.session_state.plane_kept.items()}
    values = {{"x": "center_x", "y": "center_y"}.get(key, key): value for key, value in given.items()}
    if values["directions"] != "run":
        values["source"] = None
    try:
        return Options.model_validate(values), []
    except ValidationError as error:
        return None, faults(error)


def _recall() -> None:
    """Widgets of a page that was left are forgotten by Streamlit: what they held is kept apart. A run that was opened
    brings its own."""
    kept = st.session_state.setdefault("plane_kept", dict(DEFAULTS))
    shown = session.record()
    if shown is not None and shown.kind == "surface" and st.session_state.get("plane_shown") != shown.id:
        theirs = Options.model_validate(shown.options).model_dump()
        theirs |= {"x": theirs["center_x"], "y": theirs["center_y"]}
        kept = {key: theirs[key.removeprefix("plane_")] for key in DEFAULTS}
        st.session_state.plane_shown = shown.id
        for key in DEFAULTS:
            st.session_state.pop(key, None)
    for key, value in kept.items():
        st.session_state.setdefault(key, value)


def _other_run(form: controls.Form) -> None:
    """Stored runs of the same network."""
    network = form.experiment.network if form.experiment else None
    runs = {
        run.id: run
        for run in session.client().runs(50)
        if run.kind == "train" and run.step > 0 and run.experiment.network == network
    }
    if st.session_state.plane_source not in runs:
        st.session_state.plane_source = next(iter(runs), None)
    st.selectbox(
        "Other run",
        list(runs),
        format_func=lambda run: f"seed {runs[run].experiment.seed}, step {runs[run].step} ({run[:4]}…)",
        key="plane_source",
        width=220,
        placeholder="no stored run of this network",
    )


def transport(form: controls.Form, options: Options | None, wrong: list[str]) -> None:
    """Survey and Cancel, and what stands in the way."""
    record = session.record()
    wrong = form.faults + wrong
    if form.experiment is not None:
        wrong = wrong + cost.admission(form.experiment, slowdown=cost.slowdown(form.experiment, session.history()))
    alive = record is not None and not record.ended and record.wanted != "cancelled"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        st.button(
            "Survey",
            key="play",
            type="primary",
            icon=":material/landscape:",
            on_click=_survey,
            args=(form.experiment, options),
            disabled=form.experiment is None or options is None or bool(wrong),
        )
        st.button(
            "Cancel",
            key="cancel",
            icon=":material/close:",
            on_click=session.steer,
            args=("cancel",),
            disabled=not alive,
        )
    if wrong:
        st.error(session.lines(wrong), icon=":material/block:")
    elif record is not None and record.state == "failed":
        st.error(f"This survey failed. {session.plain(record.message)}", icon=":material/error:")


def _survey(experiment: Experiment | None, options: Options | None) -> None:
    if experiment is not None and options is not None:
        st.session_state.plane_shown = session.look("surface", experiment, options.stored())


def walks() -> int:
    """How many walks the run shown has: a new one is read although the run itself has ended."""
    record = session.record()
    return 0 if record is None else sum(child.kind == "walk" for child in session.client().children(record.id))


def walk_from(point: dict[str, Any]) -> None:
    """A point of a surface was clicked: both rules start there."""
    record = session.record()
    if record is not None and record.kind == "surface":
        session.with_child(record, "walk", {"x": float(point["x"]), "y": float(point["y"])})
