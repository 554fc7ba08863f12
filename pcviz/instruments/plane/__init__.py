"""Planes: loss and equilibrated energy F* around the weights."""
