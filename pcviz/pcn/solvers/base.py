"""The interface of inference solvers (theory.md 3, 4.10), and what solvers that descend by an update share.

A solver is four functions: begin (the state at the start), advance (steps first … last - 1 in one compiled
loop with traced bounds and rates), settle (activities, errors and energies of a state) and cost (gradient evaluations
so far and the share of examples whose last step was accepted).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.frames import TRACE_ROWS
from pcviz.numerics.compiling import Program, compiled
from pcviz.pcn import inference
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Plan, Settled, State
from pcviz.pcn.trace import padded_rows
from pcviz.pcn.update import Rates, Update

Integer = int | jax.Array
Spans = Callable[[int, int], np.ndarray]
"""From the first and the last step of an advance to some of the steps between, both included."""


@short
class Settings(NamedTuple):
    """Numbers of the solvers, all traced; each reads its own. `step_size` is per example; None: the solver chooses
    its own; `curvatures` (smallest, largest) save nesterov their measurement; alpha and rho are pc_alm's."""

    step_size: jax.Array | None
    momentum: float | jax.Array = 0.9
    curvatures: tuple[float, float] | None = None
    alpha: float = 1.0
    rho: float = 1.0


class Solver(NamedTuple):
    """One solver, see the module. `last` is its last step, if it has one; with an `update` it can train networks."""

    begin: Callable[[Network, jax.Array, jax.Array, Settings], Any]
    advance: Callable[[Network, jax.Array, jax.Array, Any, Integer, Integer, Settings], Any]
    settle: Callable[[Network, jax.Array, jax.Array, Any, Integer], Settled]
    cost: Callable[[Any, int], tuple[float, float]]
    last: int | None = None
    update: Update | None = None


def every_step(state: Any, step: int) -> tuple[float, float]:
    """One gradient evaluation a step, every step accepted."""
    return float(step), 1.0


def repeating(step: Callable[[Network, jax.Array, jax.Array, Any], Any]) -> Callable[..., Any]:
    """The `advance` of a solver whose step needs neither its number nor settings: (network, x, y, state) -> state."""

    @compiled()
    def advance(network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, _: Any) -> Any:
        return jax.lax.fori_loop(first, last, lambda _, now: step(network, x, y, now), state)

    return advance


def behind_front(step: Callable[..., Any]) -> Callable[..., Any]:
    """The `advance` of a solver whose state holds `activities` and the feedforward `start`: (network, x, y, state,
    correction, front) -> state. The correction is the rounding of the errors at the start, the front marks the
    layers that the output error has reached."""

    @compiled()
    def advance(network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, _: Any) -> Any:
        correction = errors_of(network, x, state.start, None, None)

        def one_step(t: jax.Array, now: Any) -> Any:
            return step(network, x, y, now, correction, inference.reached(now.activities, network.depth, t))

        return jax.lax.fori_loop(first, last, one_step, state)

    return advance


@compiled()
def settled_behind_front(network: Network, x: jax.Array, y: jax.Array, state: Any, step: Integer) -> Settled:
    """The `settle` of a solver whose `advance` comes from `behind_front`."""
    errors = inference.errors_after(network, x, state.activities, state.start, step)
    return inference.settled_at(network, y, state.activities, errors)


def descending(plan: Plan, given: Rates | None = None, *, seed: int = 0, traced: Spans | None = None) -> Solver:
    """The solver that relaxes by a `plan`, as trainings do, at the rates `given` or, without them, those of settings.

    `seed` draws normal initial activities.
    `traced`: which states of the steps first … last are kept in the state's trace at every advance (and the rms of
    the last step, if that is one of them); None: none, at no cost.
    """
    plan = replace(plan, recorded=traced is not None)
    nothing = padded_rows(np.arange(0), TRACE_ROWS)

    def rates(network: Network, settings: Settings) -> Rates:
        if given is not None:
            return given
        return Rates(jnp.asarray(settings.step_size, network.dtype), jnp.asarray(settings.momentum, network.dtype))

    def begin(network: Network, x: jax.Array, y: jax.Array, settings: Settings) -> State:
        return _begin(network, x, y, plan=plan, rates=rates(network, settings), key=jax.random.key(seed))

    def advance(
        network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, settings: Settings
    ) -> State:
        rows = nothing
        if traced is not None:
            rows = padded_rows(traced(int(first), int(last)), TRACE_ROWS)
            state = state._replace(trace=state.trace._replace(row=jnp.zeros((), jnp.int32)))
        return _advance(network, x, y, state, (first, last), plan=plan, rates=rates(network, settings), rows=rows)

    def settle(network: Network, x: jax.Array, y: jax.Array, state: Any, step: Integer) -> Settled:
        return _settle(network, x, y, state, step, plan=plan)

    return Solver(begin, advance, settle, every_step, update=plan.update)


_begin, _advance, _settle = (Program(f, "plan") for f in (inference.begin, inference.advance, inference.settle))
settled_at = Program(inference.settled_at)
"""`inference.settled_at`, compiled."""
