"""Fixed prediction: predictions and Jacobians stay those of the feedforward pass while errors relax (Millidge et al.
2020; Rosenbaum 2022; theory.md 5.1).

The relaxation is linear in the distances z - z(0), which are the errors: d_l <- d_l - step_size (d_l - J_{l+1}^T
d_{l+1}). Its fixed point is backpropagation for any stable step size, reached exactly at step size 1 after H steps.
(Torch2PC counts the output's error, known from the start, as a step: L.)
"""

from dataclasses import replace

from pcviz.pcn.plan import Plan
from pcviz.pcn.rules.base import Rule, relaxed, settled


def _plan(plan: Plan) -> Plan:
    return replace(plan, displaced=True, frozen=True)


RULE = Rule(relaxed, settled, plan=_plan)
