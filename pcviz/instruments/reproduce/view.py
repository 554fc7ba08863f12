"""Inference budget: a published finding, measured anew network by network."""

from typing import Any, get_args

import streamlit as st

from pcviz.instruments.reproduce.figures import PANELS
from pcviz.instruments.reproduce.options import Options
from pcviz.ui import controls, look, look_options
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Networks", "{step} of {steps}", "Networks measured, of those of the protocol")]
HELP = {
    name: f"**{name.capitalize()}**: {len(Options(protocol=name).chosen.cells)} networks, depths "
    f"{', '.join(map(str, Options(protocol=name).chosen.depths))}."
    for name in get_args(Options.model_fields["protocol"].annotation)
}


def choose(form: controls.Form) -> Choice:
    """Draw the choice of a protocol; what it says."""
    with look.taking_over("reproduce"):
        pass
    st.segmented_control(
        "Protocol",
        list(HELP),
        format_func=str.capitalize,
        key="reproduce_protocol",
        required=True,
        help="  \n".join(HELP.values()),
    )
    return Choice(Options.model_validate(look_options.current("reproduce")).stored(), [])


def figures(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Both panels are made for the run's options."""
    given = {"options": Options.model_validate(options)}
    return {name: given for name in VIEW.panels}


VIEW = View("reproduce", "Inference budget", "Start", tuple(PANELS), METRICS, choose, figures)
VIEWS = {VIEW.kind: VIEW}
