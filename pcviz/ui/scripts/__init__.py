"""The scripts that Streamlit runs: the app and its pages, and no module: Streamlit makes this folder importable."""
