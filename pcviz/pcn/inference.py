"""Inference: relaxing the activities on the energy, with input and target clamped (theory.md 3)."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from pcviz.frames import TRACE_ROWS
from pcviz.pcn.energy import hidden_energies, mean_squares, output_error
from pcviz.pcn.feedforward import error_energy_gradient, forward
from pcviz.pcn.gradients import errors_of, tiled_errors
from pcviz.pcn.local_steps import local_steps
from pcviz.pcn.network import Network
from pcviz.pcn.nudging import Goal, energy_of_output, goal_of, output_pull, taught
from pcviz.pcn.plan import Plan, Settled, State
from pcviz.pcn.stacks import Activities, plus
from pcviz.pcn.stage import weighed
from pcviz.pcn.trace import Trace, empty_trace, record
from pcviz.pcn.update import Rates

NORMAL_START = 0.05
"""Standard deviation of normal initial activities (jpc's default)."""


def begin(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    plan: Plan,
    rates: Rates,
    key: jax.Array,
    steps: jax.Array | int = 2**31 - 1,
    rows: int = TRACE_ROWS,
) -> State:
    """The start of a relaxation of at most `steps` inference steps, of which at most `rows` states are recorded; normal
    initial activities are drawn from `key`."""
    start, output = forward(network, x)
    if plan.initial == "zero":
        start = jax.tree.map(jnp.zeros_like, start)
    elif plan.initial == "normal":
        start = tuple(
            NORMAL_START * jax.random.normal(jax.random.fold_in(key, stage), z.shape, z.dtype)
            for stage, z in enumerate(start)
        )
    if plan.update.space == "activities" and not plan.displaced:
        variables = start
    elif plan.initial == "feedforward":
        variables = jax.tree.map(jnp.zeros_like, start)
    else:
        variables = errors_of(network, x, start, None, None)
    correction = tiled_errors(network, x, start, None, None, plan.front(steps)) if plan.corrected else None
    slots = tuple(plan.update.rule(rates).init(stack) for stack in variables)
    goal = None
    if plan.nudging != "none":
        goal = goal_of(plan.nudging, plan.clamp, network, output, y, rates.nudge)
    kept = start if plan.displaced else None
    if plan.initial == "feedforward":
        energy = energy_of_output(network, output, y, goal)
    else:
        hidden = hidden_energies(network, errors_of(network, x, start, None, None))
        energy = jnp.sum(hidden) + energy_of_output(network, network.output(start), y, goal)
    return State(variables, slots, correction, output, empty_trace(network.depth, rows), kept, goal, energy)


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
    """Inference steps span[0] … span[1] - 1. The states at the steps in `rows` are recorded."""
    if plan.update.space == "errors":
        step = _error_step(network, x, y, state.goal, plan, rates, rows)
        errors, slots, trace = jax.lax.fori_loop(*span, step, (state.variables, state.slots, state.trace))
        return state._replace(variables=errors, slots=slots, trace=trace)
    return local_steps(network, x, y, state, span, plan, rates, rows)


def moved(
    rule: optax.GradientTransformation, variables: Activities, gradients: Activities, slots: tuple[Any, ...]
) -> tuple[Activities, Activities, tuple[Any, ...]]:
    """One step of whole stages: new variables, updates, slots."""
    pairs = [rule.update(gradient, slot) for gradient, slot in zip(gradients, slots, strict=True)]
    updates = tuple(update for update, _ in pairs)
    return tuple(a + b for a, b in zip(variables, updates, strict=True)), updates, tuple(slot for _, slot in pairs)


def reached(stacks: Activities, depth: int, t: jax.Array) -> Activities:
    """Which of the top hidden layers the output error has reached after t steps: l >= L - t, (count,) each."""
    layer = depth - sum(stack.shape[0] for stack in stacks)
    masks = []
    for stack in stacks:
        layers = jnp.arange(layer, layer + stack.shape[0])
        masks.append(layers >= depth - t)
        layer += stack.shape[0]
    return tuple(masks)


def errors_after(network: Network, x: jax.Array, z: Activities, start: Activities, t: jax.Array | int) -> Activities:
    """Hidden errors at z, t steps after the feedforward `start`: minus its rounding, zero where no signal can be."""
    correction = errors_of(network, x, start, None, None)
    return errors_of(network, x, z, correction, reached(z, network.depth, jnp.asarray(t)))


def _error_step(
    network: Network, x: jax.Array, y: jax.Array, goal: Goal | None, plan: Plan, rates: Rates, rows: jax.Array
) -> Any:
    """The inference step on errors, the counterpart of `one_step` in `advance`."""
    rule = plan.update.rule(rates)
    decay = rates.activity_decay if plan.decays else None
    pull = None if goal is None else lambda output: output_pull(network, output, y, goal)
    nothing = jnp.zeros(network.depth), jnp.zeros(network.depth - 1)

    def moved_by(pulled: Activities, errors: Activities, slots: Any) -> tuple[Activities, Activities, Any]:
        """New errors, updates and slots, where the output's energy has the gradient `pulled`."""
        parts = zip(network.stages, errors, pulled, strict=False)
        return moved(rule, errors, tuple(weighed(stage, e) + p for stage, e, p in parts), slots)

    def measured(pulled: Activities, errors: Activities, slots: Any, output: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Energies, and the step that follows: computed apart, so that other steps pay next to nothing."""
        return _energies(network, errors, output, y, goal), mean_squares(moved_by(pulled, errors, slots)[1])

    def step(t: jax.Array, carry: tuple[Activities, Any, Trace]) -> tuple[Activities, Any, Trace]:
        errors, slots, trace = carry
        _, output, pulled = error_energy_gradient(network, x, y, errors, pull=pull, decay=decay)
        if plan.recorded:
            now = rows[trace.row] == t
            wanted = now | (rows[trace.row + now] == t + 1)  # a row holds the rms of the step that led to it too
            energies, updates = jax.lax.cond(wanted, measured, lambda *_: nothing, pulled, errors, slots, output)
            trace = record(trace, rows, t, energies)._replace(update=updates)
        errors, _, slots = moved_by(pulled, errors, slots)
        return errors, slots, trace

    return step


def _energies(network: Network, errors: Activities, output: jax.Array, y: jax.Array, goal: Goal | None) -> jax.Array:
    return jnp.append(hidden_energies(network, errors), energy_of_output(network, output, y, goal))


def settle(network: Network, x: jax.Array, y: jax.Array, state: State, t: jax.Array, plan: Plan) -> Settled:
    """Activities, errors and energies of the state after t steps."""
    goal = state.goal
    if plan.update.space == "errors":
        errors = state.variables
        z, output = forward(network, x, errors)
        return settled_at(network, y, z, errors, output, goal=goal)
    z, front = state.seen(plan), t if plan.follows_front else None
    if state.start is None:
        errors = tiled_errors(network, x, z, state.correction, front, plan.front(t))
        return settled_at(network, y, z, errors, goal=goal)
    since = state.start, state.variables
    errors = tiled_errors(network, x, z, state.correction, front, plan.front(t), since)
    settled = settled_at(network, y, z, errors, goal=goal)
    top = output_error(network.loss, state.output, y if goal is None else goal.target)[None]
    signals = (*state.variables, top)
    return settled._replace(
        activities=plus(state.start, state.variables),
        signals=signals if goal is None else taught(signals, goal),
        inputs=state.start,
    )


def settled_at(
    network: Network,
    y: jax.Array,
    z: Activities,
    errors: Activities,
    output: jax.Array | None = None,
    signals: Activities | None = None,
    goal: Goal | None = None,
) -> Settled:
    """The state with hidden activities z, hidden errors, and `signals` if they differ from these; the `output`
    prediction (B, K) is computed unless given; `goal` of a nudged output."""
    if output is None:
        output = network.output(z)
    top = output_error(network.loss, output, y if goal is None else goal.target)[None]
    energies = _energies(network, errors, output, y, goal)
    if goal is not None:
        return Settled(z, (*errors, top), energies, taught((*errors, top), goal))
    return Settled(z, (*errors, top), energies, None if signals is None else (*signals, top))
