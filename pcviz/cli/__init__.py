"""The command line: `python -m pcviz train|relax|reproduce|bench|serve`."""
