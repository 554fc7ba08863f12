"""Curvature: where a network stands on both surfaces."""
