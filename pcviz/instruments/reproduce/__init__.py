"""Reproductions: published findings, measured again."""
