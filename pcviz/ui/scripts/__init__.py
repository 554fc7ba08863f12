"""What Streamlit runs: the app and its pages. Streamlit makes importable what lies beside the app: no module else."""
