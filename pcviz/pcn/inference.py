"""Inference: relaxing the activities on the energy, with input and target clamped (theory.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Inference
from pcviz.frames import TRACE_ROWS
from pcviz.pcn.energy import layer_energies, output_error, squared_norms
from pcviz.pcn.feedforward import error_energy_gradient, forward
from pcviz.pcn.gradients import activity_gradient, errors_of, weight_gradient
from pcviz.pcn.network import Activities, Network, unstack
from pcviz.pcn.solvers import SOLVERS, Rates
from pcviz.pcn.trace import Trace, empty_trace, padded_rows, record, recorded
from pcviz.pcn.window import input_below, map_stacks, phases, put_back, taken, top, top_network

NORMAL_START = 0.05
"""Standard deviation of normal initial activities (jpc's default)."""


@dataclass(frozen=True)
class Plan:
    """What is compiled in: the solver, the initial activities, whether the front window and the trace are used, and
    whether the weights stand still."""

    solver: str
    initial: str
    windowed: bool = True
    recorded: bool = True
    fixed_weights: bool = True

    @property
    def follows_front(self) -> bool:
        """Whether layers that the error has not reached are known to have none."""
        return self.initial == "feedforward" and SOLVERS[self.solver].space == "activities"

    @property
    def corrected(self) -> bool:
        """Whether the rounding of the feedforward start is subtracted: it belongs to weights that stand still."""
        return self.follows_front and self.fixed_weights


class State(NamedTuple):
    """A relaxation under way: `variables` (activities or errors of the hidden stages), the solver's `slots`, the
    `start` of the activities, the feedforward `output` (B, K) and the `trace`."""

    variables: Activities
    slots: Any
    start: Activities
    output: jax.Array
    trace: Trace


class Settled(NamedTuple):
    """The end of a relaxation: hidden activities, errors of every stage (output last), layer energies (L,) float64."""

    activities: Activities
    errors: Activities
    energies: jax.Array


def rates_of(inference: Inference, dtype: Any) -> Rates:
    """The traced part of the inference options, in the network's number format."""
    return Rates(jnp.asarray(inference.step_size, dtype), jnp.asarray(inference.momentum, dtype))


def begin(network: Network, x: jax.Array, y: jax.Array, plan: Plan, rates: Rates, key: jax.Array) -> State:
    """The start of a relaxation; normal initial activities are drawn from `key`."""
    start, output = forward(network, x)
    if plan.initial == "zero":
        start = jax.tree.map(jnp.zeros_like, start)
    elif plan.initial == "normal":
        start = tuple(
            NORMAL_START * jax.random.normal(jax.random.fold_in(key, stage), z.shape, z.dtype)
            for stage, z in enumerate(start)
        )
    solver = SOLVERS[plan.solver]
    if solver.space == "activities":
        variables = start
    elif plan.initial == "feedforward":
        variables = jax.tree.map(jnp.zeros_like, start)
    else:
        variables = errors_of(network, x, start, None, None)
    return State(variables, solver.rule(rates).init(variables), start, output, empty_trace(network.depth))


def advance(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    state: State,
    span: tuple[jax.Array, jax.Array],
    plan: Plan,
    rates: Rates,
    rows: jax.Array,
) -> State:
    """Inference steps span[0] … span[1] - 1; the states at the steps in `rows` are recorded."""
    if SOLVERS[plan.solver].space == "errors":
        return _advance_errors(network, x, y, state, span, plan, rates, rows)
    hidden = network.depth - 1
    for phase in phases(hidden, plan.windowed and plan.corrected):
        first, last = (jnp.clip(t, phase.first, phase.last) for t in span)
        counts = taken(state.variables, phase.layers)
        run = partial(_advance_window, network, x, y, span=(first, last), plan=plan, rates=rates, rows=rows, counts=counts)
        state = jax.lax.cond(first < last, run, lambda same: same, state)
    return state


def reached(stacks: Activities, depth: int, t: jax.Array) -> Activities:
    """Which of the top hidden layers the output error has reached after t steps: l >= L - t, (count, 1, 1) each."""
    layer = depth - sum(stack.shape[0] for stack in stacks)
    masks = []
    for stack in stacks:
        layers = jnp.arange(layer, layer + stack.shape[0])
        masks.append((layers >= depth - t)[:, None, None])
        layer += stack.shape[0]
    return tuple(masks)


def _advance_window(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    state: State,
    *,
    span: tuple[jax.Array, jax.Array],
    plan: Plan,
    rates: Rates,
    rows: jax.Array,
    counts: tuple[int, ...],
) -> State:
    depth, below = network.depth, input_below(x, state.variables, counts)
    upper, idle = top_network(network, counts), depth - 1 - sum(counts)
    rule = SOLVERS[plan.solver].rule(rates)
    start = top(state.start, counts)
    correction = errors_of(upper, below, start, None, None) if plan.corrected else None

    def step(t: jax.Array, carry: tuple[Activities, Any, Trace]) -> tuple[Activities, Any, Trace]:
        z, slots, trace = carry
        front = reached(z, depth, t) if plan.follows_front else None
        local = activity_gradient(upper, below, y, z, correction, front)
        updates, slots = rule.update(local.gradient, slots)
        if plan.recorded:
            energies = layer_energies(upper, local.errors[:-1], local.output, y)
            trace = record(trace, rows, t, jnp.concatenate([jnp.zeros(idle), energies]))
            trace = trace._replace(update=jnp.concatenate([jnp.zeros(idle), update_rms(updates)]))
        return tuple(a + b for a, b in zip(z, updates, strict=True)), slots, trace

    slots = map_stacks(state.slots, state.variables, lambda group: top(group, counts))
    z, slots, trace = jax.lax.fori_loop(*span, step, (top(state.variables, counts), slots, state.trace))
    slots = map_stacks(state.slots, state.variables, lambda full, part: put_back(full, part, counts), slots)
    return state._replace(variables=put_back(state.variables, z, counts), slots=slots, trace=trace)


def update_rms(updates: Activities) -> jax.Array:
    """Root mean square of each layer's step, (layers,) float64."""
    return jnp.concatenate([jnp.sqrt(squared_norms(u) / (u.shape[1] * u.shape[2])) for u in updates])


def _advance_errors(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    state: State,
    span: tuple[jax.Array, jax.Array],
    plan: Plan,
    rates: Rates,
    rows: jax.Array,
) -> State:
    rule = SOLVERS[plan.solver].rule(rates)

    def step(t: jax.Array, carry: tuple[Activities, Any, Trace]) -> tuple[Activities, Any, Trace]:
        errors, slots, trace = carry
        _, output, gradient = error_energy_gradient(network, x, y, errors)
        gradient = tuple(e + g for e, g in zip(errors, gradient, strict=True))
        updates, slots = rule.update(gradient, slots)
        if plan.recorded:
            trace = record(trace, rows, t, layer_energies(network, errors, output, y))
            trace = trace._replace(update=update_rms(updates))
        return tuple(a + b for a, b in zip(errors, updates, strict=True)), slots, trace

    errors, slots, trace = jax.lax.fori_loop(*span, step, (state.variables, state.slots, state.trace))
    return state._replace(variables=errors, slots=slots, trace=trace)


def settle(network: Network, x: jax.Array, y: jax.Array, state: State, t: jax.Array, plan: Plan) -> Settled:
    """Activities, errors and energies of the state after t steps."""
    if SOLVERS[plan.solver].space == "errors":
        errors = state.variables
        z, output = forward(network, x, errors)
    else:
        z = state.variables
        correction = errors_of(network, x, state.start, None, None) if plan.corrected else None
        front = reached(z, network.depth, t) if plan.follows_front else None
        errors = errors_of(network, x, z, correction, front)
        output = network.stages[-1](z[-1][-1:])[0]
    energies = layer_energies(network, errors, output, y)
    return Settled(z, (*errors, output_error(network.loss, output, y)[None]), energies)


@dataclass(frozen=True)
class Relaxation:
    """One relaxation.

    `energies` (T+1, L): layer energies E_1 … E_L of every state, batch mean, row 0 = the start, E_L with its precision;
    `update_rms` (T+1, H): rms of the step of each layer's variable that led to the state, row 0 is 0; `activities`
    [z_1 … z_{L-1}], each (B, N_l), and `errors` [e_1 … e_L] at the end, e_L = y - mu_L (mse) or y - softmax(mu_L) (ce).
    """

    energies: np.ndarray
    update_rms: np.ndarray
    activities: list[jax.Array]
    errors: list[jax.Array]
    settled: Settled


_begin = jax.jit(begin, static_argnames=("plan",))
_advance = jax.jit(advance, static_argnames=("plan",))
_settle = jax.jit(settle, static_argnames=("plan",))
_weight_gradient = jax.jit(weight_gradient)


def relax(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    inference: Inference,
    steps: int | None = None,
    *,
    seed: int = 0,
    windowed: bool = True,
) -> Relaxation:
    """Relax the activities for `steps` inference steps (default: those of `inference`; `depth` is H).

    x (B, D), y (B, K) are clamped. `seed` draws normal initial activities; `windowed=False` computes layers that
    nothing can have reached too. Any number of steps, in chunks. Raises ValueError for a negative number.
    """
    x, y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
    wanted = inference.steps if steps is None else steps
    total = network.depth - 1 if wanted == "depth" else int(wanted)
    if total < 0:
        raise ValueError(f"steps: {total} is below 0 (allowed: 0 or more)")
    plan, rates = Plan(inference.solver, inference.initial, windowed=windowed), rates_of(inference, network.dtype)
    state = _begin(network, x, y, plan, rates, jax.random.key(seed))
    energies, updates = [], []
    for first in range(0, total, TRACE_ROWS):
        last = min(first + TRACE_ROWS, total)
        rows = padded_rows(np.arange(first, last))
        state = _advance(network, x, y, state, (first, last), plan, rates, rows)
        for kept, rows in zip((energies, updates), recorded(state.trace, last - first), strict=True):
            kept.append(rows)
        state = state._replace(trace=empty_trace(network.depth)._replace(update=state.trace.update))
    settled = _settle(network, x, y, state, total, plan)
    energies.append(np.asarray(settled.energies)[None])
    updates.append(np.asarray(state.trace.update)[None])
    return Relaxation(
        np.concatenate(energies),
        np.concatenate(updates),
        unstack(settled.activities),
        unstack(settled.errors),
        settled,
    )


def weight_gradients(network: Network, x: jax.Array, y: jax.Array, relaxation: Relaxation) -> list[jax.Array]:
    """dF/dW_1 … dF/dW_L at the end of a relaxation, each (N_l, N_{l-1}): batch mean, without weight decay."""
    del y  # its part is in the relaxation's errors
    settled = relaxation.settled
    x = jnp.asarray(x, network.dtype)
    return unstack(_weight_gradient(network, x, settled.activities, settled.errors))
