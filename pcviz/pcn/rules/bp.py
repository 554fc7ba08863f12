"""Backpropagation, the baseline, as error-based inference that takes no step (theory.md 3.6)."""

import jax
import jax.numpy as jnp

from pcviz.pcn.energy import error_energies, output_energy
from pcviz.pcn.feedforward import error_energy_gradient
from pcviz.pcn.inference import settled_at
from pcviz.pcn.plan import Plan, Settled
from pcviz.pcn.rules.base import Method, Numbers, Rule, Span, Step
from pcviz.pcn.solvers import update_of


def _advance(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers, span: Span) -> Step:
    return step


def _settle(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers) -> Settled:
    """Errors are -dLoss/dz of each example (times lambda), energies half their squares, none of which counts more than
    another; the output's energy is the loss."""
    network, zeros = step.network, step.relaxation.variables
    z, output, gradient = error_energy_gradient(network, x, y, zeros)
    errors = tuple(-g for g in gradient)
    energies = jnp.append(error_energies(errors), output_energy(network, output, y))
    return settled_at(network, y, z, errors, output)._replace(energies=energies)


def _plan(plan: Plan) -> Plan:
    return Plan(update_of("error_based"), "feedforward", plan.windowed, plan.recorded)


RULE = Rule(_advance, _settle, plan=_plan)
