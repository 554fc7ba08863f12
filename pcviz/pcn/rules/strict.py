"""Strict: predictive coding as Rosenbaum (2022) runs it, layer by layer from the output down (theory.md 5.2).

In each sweep the error of a layer is computed before the layer below has moved, and its message from its own activity
before that has moved. So all layers move from the same old state: the rule is PC by gradient descent from the
feedforward pass, with as many steps as sweeps.
"""

from pcviz.pcn.rules.base import Rule, relaxed, settled

RULE = Rule(relaxed, settled)
