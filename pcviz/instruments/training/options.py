"""What trainings and their children are told besides the experiment."""

KINDS = {"train": None, "training_plane": None, "boundary": None}
"""Kinds of runs -> model of their options; None: any object."""
