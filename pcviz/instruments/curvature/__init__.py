"""Curvature of loss and F* where a network stands."""
