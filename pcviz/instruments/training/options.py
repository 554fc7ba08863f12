"""Options of trainings and of their child runs."""

KINDS = {"train": None, "training_plane": None, "boundary": None}
"""Kinds of runs -> model of their options; None: any object."""
