"""Inference solvers: which variables descend the energy, and by which rule.

In the space of *activities* the variables are z_l (theory.md 3.1); in the space of *errors* they are e_l and the
activities follow, z_l = mu_l(z_{l-1}) + e_l (ePC, theory.md 3.6). Both descend per-example gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import optax

from pcviz.brief import short


@short
class Rates(NamedTuple):
    """Traced numbers of a solver: changing them never recompiles. `step_size` is per example."""

    step_size: jax.Array
    momentum: jax.Array


class Solver(NamedTuple):
    """`space` of the variables and the descent `rule` made from the rates."""

    space: Literal["activities", "errors"]
    rule: Callable[[Rates], optax.GradientTransformation]


SOLVERS: dict[str, Solver] = {
    "gradient_descent": Solver("activities", lambda rates: optax.sgd(rates.step_size)),
    "momentum": Solver("activities", lambda rates: optax.sgd(rates.step_size, rates.momentum)),
    "adam": Solver("activities", lambda rates: optax.adam(rates.step_size)),
    "error_based": Solver("errors", lambda rates: optax.sgd(rates.step_size)),
}
"""Adam runs with its usual constants (0.9, 0.999, 1e-8) and, like momentum, from a fresh state in every relaxation."""
