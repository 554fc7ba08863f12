"""Curvature: where a network stands on both surfaces, what a step does there, how ill-conditioned inference is."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from pcviz.curvatures import Options, misfit
from pcviz.faults import faults
from pcviz.figures import CURVATURE_PANELS
from pcviz.ui import controls, look, relax, session, subject
from pcviz.ui.look import View, Wish

DEFAULTS: dict[str, Any] = {"curved_source": relax.FRESH, "curved_batch": 0, "curved_examples": 16}
METRICS: list[tuple[str, str, str]] = [
    ("Computed", "{step} %", "Share of the work that is done"),
    ("Inference κ", "{plane_condition:g3}", "Greatest over least curvature of the activities of the example drawn"),
    ("Loss, sharpest", "{loss_curvature_max:g3}", "Greatest eigenvalue of the loss's Hessian in the weights"),
    ("Loss, least", "{loss_curvature_min:g3}", "Least eigenvalue: negative at a strict saddle"),
    ("F*, least", "{energy_curvature_min:g3}", "The same of F*, the energy at the equilibrium of inference"),
    ("PC and gradient", "{pc_gradient_total:g3}", "Cosine of the PC weight step and the loss gradient"),
]


def choose(form: controls.Form) -> Wish:
    """Draw the row of controls above the panels; what they say."""
    shown = session.record() if look.opened() else None
    theirs = None
    if shown is not None:
        options = Options.model_validate(shown.options)
        theirs = {
            "curved_source": options.source or relax.FRESH,
            "curved_batch": options.batch,
            "curved_examples": options.examples,
        }
    look.keep("curved", DEFAULTS, theirs)
    if (trained := subject.follow("curved", form, opened=theirs is not None)) is not None:
        st.session_state.curved_source = trained.id
    elif subject.left("curved", form, st.session_state.curved_source):
        st.session_state.curved_source = relax.FRESH
    runs = session.trainings(st.session_state.curved_source)
    if st.session_state.curved_source not in runs:
        st.session_state.curved_source = relax.FRESH
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="curved_row"):
        st.selectbox(
            "Weights",
            [relax.FRESH, *runs],
            format_func=lambda run: relax.source_label(run, runs),
            key="curved_source",
            width=260,
            help="Initial weights, or those of a stored run of this network at its latest checkpoint.",
        )
        st.number_input("Batch", 0, 1_000_000, key="curved_batch", width=110, help="Which training batch.")
        st.number_input(
            "Examples", 1, 256, key="curved_examples", width=110, help="How many of the batch Hessians are means over."
        )
    held = look.kept("curved", DEFAULTS)
    source = None if held["curved_source"] == relax.FRESH else held["curved_source"]
    try:
        options = Options(source=source, batch=held["curved_batch"], examples=held["curved_examples"])
    except ValidationError as error:
        return Wish(None, faults(error, Options))
    relax.divergence(runs.get(held["curved_source"]))
    wrong = relax.mismatch(form, source)
    if form.experiment is not None and (large := misfit(form.experiment)):
        wrong = [*wrong, large]
    return Wish(options.stored(), wrong)


VIEW = View("curvature", "Curvature", "Compute", CURVATURE_PANELS, METRICS, choose)
