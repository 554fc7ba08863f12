"""The rules, one module for each part of an experiment: pure functions of the evidence, in causal order."""

from pcviz.instruments.diagnosis.finding import Rule
from pcviz.instruments.diagnosis.rules import data, learning, network, relaxation, signs

RULES: dict[str, Rule] = {**data.RULES, **network.RULES, **learning.RULES, **relaxation.RULES, **signs.RULES}
"""Rules by id, causes before their effects."""
