"""From the options of an experiment to a relaxation: its compiled plan and its traced numbers."""

from typing import Any

import jax
import numpy as np

from pcviz.experiment import Inference, Learning
from pcviz.pcn.plan import Plan
from pcviz.pcn.precisions import Precisions
from pcviz.pcn.rules import rule_of
from pcviz.pcn.solvers import update_of
from pcviz.pcn.update import Rates


def plan_of(inference: Inference, learning: Learning | None = None, **flags: bool) -> Plan:
    """The plan of the relaxation by which `learning` moves weights; without it, of one on the energy. `flags`:
    windowed, recorded, fixed_weights."""
    plan = Plan(
        update_of(inference.solver),
        inference.initial,
        schedule=inference.precision_schedule,
        nudging=inference.nudging,
        clamp=inference.output_clamp,
        decays=inference.activity_decay > 0,
        displaced=learning is not None and learning.forward_update,
        **flags,
    )
    return plan if learning is None else rule_of(learning.rule).plan(plan)


def rates_of(inference: Inference, steps: int, dtype: Any) -> Rates:
    """The traced numbers of a relaxation of `steps` steps, in the network's number format."""
    step_size, momentum, alpha, decay, total, activity_decay, nudge = (
        jax.device_put(np.asarray(number, dtype))
        for number in (
            inference.step_size,
            inference.momentum,
            inference.spike_alpha,
            inference.precision_decay,
            steps,
            inference.activity_decay,
            inference.nudge_strength,
        )
    )
    return Rates(step_size, momentum, Precisions(alpha, decay, total), activity_decay, nudge)
