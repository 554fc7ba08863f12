"""Z-IL: every layer moves once, when the first error arrives, and learns from that (Song et al. 2020; theory.md 5.3).

Layer l receives the message of layer l + 1 in the step in which that layer's first error stands, t = L - l - 1, and no
other; its own error does not pull it back. So it moves by step_size^(L-l) times backpropagation's delta, from which
its weights learn: at step size 1 their gradient is backpropagation's. The layer below has not moved yet, so that the
input of the weights is the feedforward one.
"""

from dataclasses import replace

from pcviz.pcn.plan import Plan
from pcviz.pcn.rules.base import Rule, relaxed, settled


def _plan(plan: Plan) -> Plan:
    return replace(plan, schedule="arrival", displaced=True, keeps_errors=True)


RULE = Rule(relaxed, settled, plan=_plan)
