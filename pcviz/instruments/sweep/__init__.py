"""Sweeps: one experiment with some of its options varied, cell by cell."""
