"""Toy chains: loss and F* over two true weights, and the race away from the saddle."""

import streamlit as st

from pcviz.instruments.chain.figures import PANELS
from pcviz.instruments.chain.options import DEEPEST
from pcviz.ui import controls, inputs, look, look_options
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Computed", "{step} %", "Share of the surfaces and races that is done")]


def choose(form: controls.Form) -> Choice:
    """Draw the row of controls above the panels; returns what they choose."""
    with look.taking_over("chain"):
        pass
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="chain_row"):
        inputs.segments("Hidden units", range(1, DEEPEST + 1), "chain_hidden")
        look_options.number("chain_rate", width=130)
        look_options.number("chain_steps", width=140)
        look_options.number("chain_dt", width=130)
        with st.popover("More", icon=":material/tune:"):
            for key in ("chain_seeds", "chain_cap", "chain_fixed"):
                look_options.number(key)
    return look.choice("chain")


PROMISE = "to draw both surfaces of a small chain, loss and F*, and to see which rule leaves its saddle sooner."
VIEW = View("chain", "Toy chains", "Start", PROMISE, tuple(PANELS), METRICS, choose, look.made_for("chain", PANELS))
VIEWS = {VIEW.kind: VIEW}
