"""Reproductions: published findings, measured anew."""
