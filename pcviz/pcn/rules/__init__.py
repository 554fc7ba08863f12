"""Learning rules: one file for each, by the names of `pcviz.experiment.rules.RULES`."""

from functools import cache
from importlib import import_module

from pcviz.experiment.rules import RULES
from pcviz.pcn.rules.base import Rule

__all__ = ["Rule", "rule_of"]


@cache
def rule_of(name: str) -> Rule:
    """The rule. Raises KeyError for an unknown name."""
    if name not in RULES:
        raise KeyError(name)
    rule: Rule = import_module(f"{__name__}.{name}").RULE
    return rule
