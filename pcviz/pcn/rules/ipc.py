"""Incremental predictive coding: activities and weights move together (theory.md 3.5)."""

import jax
import jax.numpy as jnp

from pcviz.pcn import inference
from pcviz.pcn.energy import layer_energies, mean_squares
from pcviz.pcn.gradients import activity_gradient, weight_gradient
from pcviz.pcn.precisions import precisions
from pcviz.pcn.rules.base import Method, Numbers, Rule, Span, Step, descended, settled
from pcviz.pcn.trace import record


def _advance(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers, span: Span) -> Step:
    """Activities and weights step together, both from the same old values.

    A layer's weights and moments stay fixed until the front arrives, t >= L - l (theory.md 3.5).
    """
    plan, depth = method.plan, step.network.depth
    solver = plan.update.rule(numbers.rates)

    def one_step(t: jax.Array, step: Step) -> Step:
        network, slots, relaxation = step
        z = relaxation.variables
        front = inference.reached(z, depth, t) if plan.follows_front else None
        weights = None
        if plan.schedule != "constant":
            weights = precisions(plan.schedule, jnp.arange(1, depth + 1), depth, t, numbers.rates.precisions)
        decay = numbers.rates.activity_decay if plan.decays else None
        local = activity_gradient(network, x, y, z, None, front, weights, decay)
        gradients = weight_gradient(network, x, z, local.errors)
        moving = None if front is None else (*front, jnp.array([True]))
        network, slots = descended(method, network, slots, gradients, numbers, moving)
        moved, updates, moments = inference.moved(solver, z, local.gradient, relaxation.slots)
        trace = relaxation.trace
        if plan.recorded:
            energies = layer_energies(step.network, local.errors[:-1], local.output, y)
            trace = record(trace, numbers.rows, t, energies)._replace(update=mean_squares(updates))
        return Step(network, slots, relaxation._replace(variables=moved, slots=moments, trace=trace))

    return jax.lax.fori_loop(*span, one_step, step)


RULE = Rule(_advance, settled, learns_at_the_end=False)
