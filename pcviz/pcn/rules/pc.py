"""Predictive coding: one weight step after the relaxation (theory.md 1.5)."""

from pcviz.pcn.rules.base import Rule, relaxed, settled

RULE = Rule(relaxed, settled)
