"""What pcviz shows before anything runs, made by its own engine and stored with the code: `python -m recordings`."""
