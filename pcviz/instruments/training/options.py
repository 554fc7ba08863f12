"""What trainings and their children are told besides the experiment."""

KINDS = {"train": None, "landscape": None, "boundary": None}
"""Kinds of runs -> model of their options; None: any object."""
