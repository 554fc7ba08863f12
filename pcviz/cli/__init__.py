"""The command line: `python -m pcviz train|relax|reproduce|data|bench|serve`."""
