"""Numerical methods that know nothing of predictive coding: Krylov subspaces, block tridiagonal matrices."""
