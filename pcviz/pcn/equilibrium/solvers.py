"""All inference solvers under one calling convention: `solve(name, network, x, y, ...)` (theory.md 3, 4.10).

A solver is four functions: begin (a state at the feedforward point), advance (steps first … last - 1 in one compiled
loop with traced bounds and rates), reveal (activities and errors of a state) and cost (gradient evaluations so far
and the share of examples whose last step was accepted).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.frames import TRACE_ROWS
from pcviz.pcn import inference
from pcviz.pcn.equilibrium import alm, conjugate, flow, gauss_newton, nesterov
from pcviz.pcn.equilibrium.conjugate import Conjugate
from pcviz.pcn.equilibrium.gauss_newton import GaussNewton
from pcviz.pcn.equilibrium.linear_exact import linear_exact
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Activities, Network
from pcviz.pcn.solvers import Rates
from pcviz.pcn.trace import padded_rows

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


class Method(NamedTuple):
    """One solver, see the module. `step_size` says whether it uses one; `last` is its last step, if it has one."""

    begin: Callable[[Network, jax.Array, jax.Array, Settings], Any]
    advance: Callable[[Network, jax.Array, jax.Array, Any, Integer, Integer, Settings], Any]
    reveal: Callable[[Network, jax.Array, jax.Array, Any, Integer], Reveal]
    cost: Callable[[Any, int], tuple[float, float]]
    default_step: float | None = None
    last: int | None = None


def _every_step(state: Any, step: int) -> tuple[float, float]:
    return float(step), 1.0


def _existing(name: str) -> Method:
    """A solver of `pcviz.pcn.solvers`, relaxed as everywhere else."""
    plan = inference.Plan(name, "feedforward", recorded=False)
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

    return Method(start, go, show, _every_step, 0.3)


@jax.jit
def _loop_conjugate(
    network: Network, x: jax.Array, y: jax.Array, state: Conjugate, first: Integer, last: Integer, settings: Settings
) -> Conjugate:
    return jax.lax.fori_loop(first, last, lambda _, s: conjugate.step(network, x, y, s), state)


@jax.jit
def _loop_gauss_newton(
    network: Network, x: jax.Array, y: jax.Array, state: GaussNewton, first: Integer, last: Integer, settings: Settings
) -> GaussNewton:
    return jax.lax.fori_loop(first, last, lambda _, s: gauss_newton.step(network, x, y, s), state)


def _descent_cost(descent: Conjugate, step: int) -> tuple[float, float]:
    return float(descent.passes), float(jnp.mean(descent.moved)) if step else 1.0


def _place(state: Conjugate) -> Reveal:
    return Reveal(state.place.activities, state.place.errors)


class _Flowing(NamedTuple):
    activities: Activities
    evaluations: jax.Array


@partial(jax.jit, static_argnames=("method", "fixed"))
def _flow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    state: _Flowing,
    first: Integer,
    last: Integer,
    settings: Settings,
    method: str,
    fixed: bool,
) -> _Flowing:
    step_size = settings.step_size
    assert step_size is not None
    start, end = (jnp.asarray(t, jnp.float64) * step_size for t in (first, last))

    def go(state: _Flowing) -> _Flowing:
        rates = (step_size if fixed else jnp.zeros(()), 1e-4, 1e-4)
        leg = flow.follow(network, x, y, state.activities, (start, end[None]), rates, method, fixed)
        return _Flowing(leg.activities, state.evaluations + flow.EVALUATIONS[method] * leg.steps)

    return jax.lax.cond(start < end, go, lambda same: same, state)


def _flowing(method: str, fixed: bool) -> Method:
    begin = jax.jit(lambda network, x, y, settings: _Flowing(forward(network, x)[0], jnp.zeros((), int)))
    reveal = jax.jit(
        lambda network, x, y, state, step: Reveal(
            state.activities, inference.errors_of(network, x, state.activities, None, None)
        )
    )
    return Method(
        begin,
        partial(_flow, method=method, fixed=fixed),
        reveal,
        lambda state, step: (float(state.evaluations), 1.0),
        1.0 if not fixed else 0.3,
    )


def _nesterov_errors(network: Network, x: jax.Array, y: jax.Array, state: Any, step: Integer) -> Reveal:
    correction = inference.errors_of(network, x, state.start, None, None)
    front = inference.reached(state.activities, network.depth, jnp.asarray(step))
    return Reveal(state.activities, inference.errors_of(network, x, state.activities, correction, front))


def _alm_errors(network: Network, x: jax.Array, y: jax.Array, state: Any, step: Integer) -> Reveal:
    errors = alm.errors_at(network, x, state, jnp.asarray(step))
    return Reveal(state.activities, errors, alm.signals_at(state, errors))


def _exact_step(
    network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, settings: Settings
) -> Any:
    return linear_exact(network, x, y) if last > first else state


def _zero_errors(network: Network, x: jax.Array) -> tuple[Activities, Activities]:
    z, _ = forward(network, x)
    return z, jax.tree.map(jnp.zeros_like, z)


METHODS: dict[str, Method] = {
    **{name: _existing(name) for name in ("gradient_descent", "momentum", "adam", "error_based")},
    "nesterov": Method(
        jax.jit(lambda network, x, y, by: nesterov.begin(network, x, y, by.step_size, by.curvatures)),
        jax.jit(lambda network, x, y, state, first, last, by: nesterov.advance(network, x, y, state, first, last)),
        jax.jit(_nesterov_errors),
        _every_step,
    ),
    "pc_alm": Method(
        jax.jit(lambda network, x, y, by: alm.begin(network, x, y, by.step_size, by.alpha, by.rho)),
        jax.jit(lambda network, x, y, state, first, last, by: alm.advance(network, x, y, state, first, last)),
        jax.jit(_alm_errors),
        _every_step,
    ),
    "gradient_flow": _flowing("tsit5", fixed=False),
    "gradient_flow_heun": _flowing("heun", fixed=False),
    "gradient_flow_euler": _flowing("euler", fixed=True),
    "conjugate_gradient": Method(
        jax.jit(lambda network, x, y, by: conjugate.begin(network, x, y)),
        _loop_conjugate,
        lambda network, x, y, state, step: _place(state),
        _descent_cost,
    ),
    "gauss_newton": Method(
        jax.jit(lambda network, x, y, by: gauss_newton.begin(network, x, y)),
        _loop_gauss_newton,
        lambda network, x, y, state, step: _place(state.descent),
        lambda state, step: _descent_cost(state.descent, step),
    ),
    "linear_exact": Method(
        jax.jit(lambda network, x, y, by: _zero_errors(network, x)),
        _exact_step,
        lambda network, x, y, state, step: Reveal(*state),
        _every_step,
        last=1,
    ),
}
"""By name; what `step_size` means: per example for gradient_descent, momentum, adam, error_based, nesterov and
pc_alm; the constant step of gradient_flow_euler; the time between steps of the other flows, which choose their own
(tolerance 1e-4)."""


def recorded_steps(steps: int, rows: int | None = TRACE_ROWS) -> np.ndarray:
    """Which steps are recorded: all if they are few, else `rows` of them, log-spaced, with the first and the last."""
    if rows is None or steps < rows:
        return np.arange(steps + 1)
    spaced = np.geomspace(1, steps, max(rows - 1, 1)).round().astype(int)
    return np.unique(np.concatenate([[0], spaced, [steps]]))
