"""Curvature: where a network stands on both surfaces, what a step does there, how ill-conditioned inference is."""

import streamlit as st

from pcviz.instruments.curvature.figures import PANELS
from pcviz.instruments.curvature.options import misfit
from pcviz.ui import controls, look, look_options, source, subject
from pcviz.ui.instruments import FRESH
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [
    ("Computed", "{step} %", "Share of the work that is done"),
    ("Inference κ", "{plane_condition:g3}", "Greatest over least curvature of the activities of the example drawn"),
    ("Loss, sharpest", "{loss_curvature_max:g3}", "Greatest eigenvalue of the loss's Hessian in the weights"),
    ("Loss, least", "{loss_curvature_min:g3}", "Least eigenvalue: negative at a strict saddle"),
    ("F*, least", "{energy_curvature_min:g3}", "Least eigenvalue of the Hessian of F*, the energy at equilibrium"),
    ("PC and gradient", "{pc_gradient_total:g3}", "Cosine of the PC weight step and the loss gradient"),
]


def choose(form: controls.Form) -> Choice:
    """Draw the row of controls above the panels; returns what they choose."""
    with look.taking_over("curvature") as opened:
        subject.follow_source("curved", form, "curved_source", "curved_step", opened=opened)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="curved_row"):
        runs = source.network("curved_source", "The form's network, or a stored run of the same network.")
        source.at_step("curved_step", stored=st.session_state.curved_source != FRESH)
        look_options.number("curved_batch", width=110)
        look_options.number("curved_examples", width=110)
    source.divergence(runs.get(st.session_state.curved_source))
    large = misfit(form.experiment) if form.experiment else None
    return look.choice("curvature", lambda options: source.mismatch(form, options.source) + ([large] if large else []))


PROMISE = "to see how a network's surfaces are curved, and where its weight step lies between gradient and Newton step."
VIEW = View("curvature", "Curvature", "Compute", PROMISE, tuple(PANELS), METRICS, choose)
VIEWS = {VIEW.kind: VIEW}
