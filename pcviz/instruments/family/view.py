"""The stable family: sliders for the exponents of a parameterisation."""

import streamlit as st

from pcviz.experiment.family import MEMBERS
from pcviz.instruments.family.figures import PANELS
from pcviz.instruments.family.options import LIMITS, SYMBOLS
from pcviz.ui import controls, inputs, look, look_options
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Networks", "{step} of {steps}", "Networks measured, of those of all sizes")]
EXPONENTS = {name: f"family_{name}" for name in LIMITS}
"""Exponent -> key of its slider."""
STEP = 0.125
OWN = "exponents of your own"


def choose(form: controls.Form) -> Choice:
    """Draw the sliders; returns what they choose."""
    with look.taking_over("family"):
        pass
    now = tuple(st.session_state[key] for key in EXPONENTS.values())
    names = {name: facts.label for name, facts in MEMBERS.items()}
    st.session_state.family_named = next((name for name, facts in MEMBERS.items() if facts.member == now), OWN)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="family_row"):
        offered = [*names, OWN]
        inputs.select(
            "Member", offered, "family_named", format_func=lambda n: names.get(n, n), on_change=_take, width=230
        )
        for name in LIMITS:
            inputs.slider(look_options.OPTIONS[EXPONENTS[name]], EXPONENTS[name], step=STEP, width=150)
        with st.popover("Map and seeds", icon=":material/tune:"):
            for key, label in (("family_x", "Map, across"), ("family_y", "Map, up")):
                inputs.select(label, LIMITS, key, format_func=SYMBOLS.__getitem__)
            look_options.number("family_seeds")
    return look.choice("family", lambda options: [ALIKE] if options.x == options.y else [])


ALIKE = "x, y: both axes of the map show the same exponent (allowed: two different ones)"


def _take() -> None:
    """Put the exponents of the chosen member into the sliders."""
    if (named := MEMBERS.get(st.session_state.family_named)) is not None:
        for key, value in zip(EXPONENTS.values(), named.member, strict=True):
            st.session_state[key] = value


PROMISE = "to measure how its networks grow with width and depth, by backpropagation and by predictive coding."
FIGURES = look.made_for("family", PANELS)
VIEW = View("family", "Stable family", "Measure", PROMISE, tuple(PANELS), METRICS, choose, FIGURES)
VIEWS = {VIEW.kind: VIEW}
