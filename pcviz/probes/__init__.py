"""Probes: what is measured on a network and a batch. Pure functions from arrays to arrays."""
