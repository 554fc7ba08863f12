"""Toy chains: loss and F* over two true weights, and the race away from the saddle."""

import streamlit as st

from pcviz.instruments.chain.figures import PANELS
from pcviz.instruments.chain.options import DEEPEST
from pcviz.ui import controls, look
from pcviz.ui.look import Choice, View

METRICS: list[tuple[str, str, str]] = [("Computed", "{step} %", "Share of the surfaces and races that is done")]


def choose(form: controls.Form) -> Choice:
    """Draw the row of controls above the panels; what they say."""
    with look.taking_over("chain"):
        pass
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="chain_row"):
        st.segmented_control("Hidden units", range(1, DEEPEST + 1), key="chain_hidden", required=True)
        st.number_input("Learning rate", 0.001, 2.0, key="chain_rate", width=130)
        st.number_input("Inference steps T", 1, 1000, key="chain_steps", width=140)
        st.number_input("Step size dt", 0.001, 1.0, step=0.05, key="chain_dt", width=130)
        with st.popover("More", icon=":material/tune:"):
            st.number_input("Seeds", 1, 10, key="chain_seeds", help="Starts of each racer.")
            st.number_input("Cap", 100, 1_000_000, step=1000, key="chain_cap", help="Updates until a racer is stopped.")
            st.number_input("Other weights", -2.0, 2.0, step=0.1, key="chain_fixed", help="Value of those not drawn.")
    return look.choice("chain")


VIEW = View("chain", "Toy chains", "Start", tuple(PANELS), METRICS, choose, look.made_for("chain", PANELS))
VIEWS = {VIEW.kind: VIEW}
