"""pcviz in the browser, from a checkout: `streamlit run app.py`."""

import streamlit as st

from pcviz.ui.scripts.app import PARTS

app = st.App(**PARTS)  # Streamlit looks for such a line in the script that it is given
