"""What every inference solver is (theory.md 3, 4.10), and what those that descend by an update have in common.

A solver is four functions: begin (a state at the feedforward point), advance (steps first … last - 1 in one compiled
loop with traced bounds and rates), reveal (activities and errors of a state) and cost (gradient evaluations so far
and the share of examples whose last step was accepted).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.pcn import inference
from pcviz.pcn.network import Activities, Network
from pcviz.pcn.trace import padded_rows
from pcviz.pcn.update import Rates, Update

Integer = int | jax.Array


@short
class Settings(NamedTuple):
    """Numbers of the solvers, all traced; each reads its own. `step_size` is per example, None where a solver is to
    choose its own; `curvatures` (smallest, largest) spare nesterov its measurement; alpha and rho are pc_alm's."""

    step_size: jax.Array | None
    momentum: float = 0.9
    curvatures: tuple[float, float] | None = None
    alpha: float = 1.0
    rho: float = 1.0


@short
class Reveal(NamedTuple):
    """A state's hidden `activities` and `errors`; `signals` stand for the errors in gradients where a solver descends
    another function than the energy."""

    activities: Activities
    errors: Activities
    signals: Activities | None = None


class Solver(NamedTuple):
    """One solver, see the module. `default_step`: its step size where none is given; None: it chooses its own. `last`
    is its last step, if it has one; `update` makes networks trainable with it."""

    begin: Callable[[Network, jax.Array, jax.Array, Settings], Any]
    advance: Callable[[Network, jax.Array, jax.Array, Any, Integer, Integer, Settings], Any]
    reveal: Callable[[Network, jax.Array, jax.Array, Any, Integer], Reveal]
    cost: Callable[[Any, int], tuple[float, float]]
    default_step: float | None = None
    last: int | None = None
    update: Update | None = None


def every_step(state: Any, step: int) -> tuple[float, float]:
    """One gradient evaluation a step, every step accepted."""
    return float(step), 1.0


def descending(update: Update) -> Solver:
    """The solver that relaxes by `update`, as trainings do."""
    plan = inference.Plan(update, "feedforward", recorded=False)
    begin, advance, settle = (
        jax.jit(f, static_argnames=("plan",)) for f in (inference.begin, inference.advance, inference.settle)
    )
    rows = padded_rows(np.arange(0))

    def rates(network: Network, settings: Settings) -> Rates:
        return Rates(jnp.asarray(settings.step_size, network.dtype), jnp.asarray(settings.momentum, network.dtype))

    def start(network: Network, x: jax.Array, y: jax.Array, settings: Settings) -> Any:
        return begin(network, x, y, plan=plan, rates=rates(network, settings), key=jax.random.key(0))

    def go(network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, by: Any) -> Any:
        return advance(network, x, y, state, (first, last), plan=plan, rates=rates(network, by), rows=rows)

    def show(network: Network, x: jax.Array, y: jax.Array, state: Any, step: Integer) -> Reveal:
        settled = settle(network, x, y, state, step, plan=plan)
        return Reveal(settled.activities, settled.errors[:-1])

    return Solver(start, go, show, every_step, 0.3, update=update)
