"""The pages: their paths in the address, and the scripts behind them."""

from pathlib import Path

import streamlit as st

SCRIPTS = Path(__file__).parent / "scripts"
HOME, TRAIN = "", "train"
"""Paths of pages that others lead to."""


def all_pages() -> list[st.Page]:
    """Every page, in the order of the navigation; the first is at the root."""
    return [
        st.Page(SCRIPTS / "0_home.py", title="Home", icon=":material/home:", default=True),
        st.Page(SCRIPTS / "1_train.py", title="Train", icon=":material/play_circle:", url_path=TRAIN),
        st.Page(SCRIPTS / "2_inference.py", title="Inference", icon=":material/biotech:", url_path="inference"),
        st.Page(SCRIPTS / "3_landscape.py", title="Landscape", icon=":material/landscape:", url_path="landscape"),
        st.Page(SCRIPTS / "4_diagnose.py", title="Diagnose", icon=":material/stethoscope:", url_path="diagnose"),
        st.Page(SCRIPTS / "5_scaling.py", title="Scaling", icon=":material/grid_on:", url_path="scaling"),
        st.Page(SCRIPTS / "6_findings.py", title="Findings", icon=":material/fact_check:", url_path="findings"),
    ]
