"""Replay: what the panels of a training drew at earlier weight steps."""
