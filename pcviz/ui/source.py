"""The weights that a look uses: the choice of a stored run, and notes on it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from pcviz.store import RunRecord
from pcviz.ui import controls, inputs, look_options, session, subject
from pcviz.ui.instruments import FRESH


def label(run: str, runs: dict[str, RunRecord]) -> str:
    """A network as the list shows it: "run of 14:02, relu 16 × 64, step 200 (3f2a)". No two are alike: Streamlit
    identifies choices by their labels."""
    if run == FRESH:
        return "the form's network"
    record = runs[run]
    network, step = record.experiment.network, f"step {record.step}"
    if record.state == "diverged":
        step = f"diverged after {step}"
    return f"{subject.name(record)}, {network.activation} {network.depth} × {network.width}, {step} ({run[:4]})"


def network(key: str, text: str, on_change: Callable[[], None] | None = None) -> dict[str, RunRecord]:
    """Draw the choice of a network, the form's or that of a stored run; returns the stored runs."""
    runs = session.trainings(st.session_state[key])
    if st.session_state[key] not in runs:
        st.session_state[key] = FRESH
    names = partial(label, runs=runs)
    inputs.select("Network", [FRESH, *runs], key, format_func=names, on_change=on_change, width=260, help=text)
    return runs


def divergence(record: RunRecord | None) -> None:
    """Draw a note on the weights used if the run diverged."""
    if record is not None and record.state == "diverged":
        st.info(
            f"This run diverged in weight step {record.step + 1}. The panels show its last finite weights, those of "
            f"step {record.step}.",
            icon=":material/info:",
        )


def at_step(key: str, *, stored: bool) -> None:
    """Draw the choice of the step whose weights are looked at, of a stored run or of the form's network."""
    look_options.number(key, step=10, width=120, placeholder="latest" if stored else "fresh")


def mismatch(form: controls.Form, source: str | None) -> list[str]:
    """Why the weights of the stored run `source` do not go with the form; empty if they do."""
    if source is None or form.experiment is None:
        return []
    trained, chosen = session.client().get(source).experiment, form.experiment
    if (trained.network, trained.data, trained.dtype) == (chosen.network, chosen.data, chosen.dtype):
        return []
    return ["network: the form differs from the stored run: take its settings, or choose fresh weights"]
