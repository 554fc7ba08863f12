"""Inference: relaxing the activities on the energy, with input and target clamped (theory.md 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from pcviz.brief import short
from pcviz.experiment import Inference
from pcviz.pcn.energy import layer_energies, output_error, output_loss, squared_norms
from pcviz.pcn.feedforward import error_energy_gradient, forward
from pcviz.pcn.gradients import cleaned, errors_of, tiled_errors, within_front
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities
from pcviz.pcn.trace import Trace, empty_trace, record
from pcviz.pcn.update import Rates, Update
from pcviz.pcn.window import Tile, activities_of, around, columns, fed, inputs_and_own, replaced_at, sweep, tiles_of

NORMAL_START = 0.05
"""Standard deviation of normal initial activities (jpc's default)."""


@dataclass(frozen=True)
class Plan:
    """The compiled part of a relaxation: the update, the initial activities, whether the front window and the trace are
    used, and whether the weights are fixed."""

    update: Update
    initial: str
    windowed: bool = True
    recorded: bool = True
    fixed_weights: bool = True

    @property
    def follows_front(self) -> bool:
        """Whether layers that the output error has not reached are known to have no error."""
        return self.initial == "feedforward" and self.update.space == "activities"

    @property
    def corrected(self) -> bool:
        """Whether the rounding of the feedforward start is subtracted: it holds for fixed weights only."""
        return self.follows_front and self.fixed_weights

    def front(self, layers: jax.Array | int) -> jax.Array | None:
        """The number of top hidden layers to visit if only the top `layers` can have changed; None means all."""
        return jnp.asarray(layers, jnp.int32) if self.windowed and self.corrected else None


@short
class State(NamedTuple):
    """A relaxation under way: `variables` (activities or errors of the hidden stages), the solver's `slots` for each
    stage, the `correction` of the errors, the feedforward `output` (B, K) and the `trace`."""

    variables: Activities
    slots: Any
    correction: Activities | None
    output: jax.Array
    trace: Trace


@short
class Settled(NamedTuple):
    """The result of a relaxation: hidden activities, errors of every stage (output last), layer energies (L,) float64;
    `signals` replace the errors in gradients if the solver descends a function other than the energy."""

    activities: Activities
    errors: Activities
    energies: jax.Array
    signals: Activities | None = None


def rates_of(inference: Inference, dtype: Any) -> Rates:
    """The traced part of the inference options, in the network's number format."""
    return Rates(jnp.asarray(inference.step_size, dtype), jnp.asarray(inference.momentum, dtype))


def begin(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    plan: Plan,
    rates: Rates,
    key: jax.Array,
    steps: jax.Array | int = 2**31 - 1,
) -> State:
    """The start of a relaxation of at most `steps` inference steps; normal initial activities are drawn from `key`."""
    start, output = forward(network, x)
    if plan.initial == "zero":
        start = jax.tree.map(jnp.zeros_like, start)
    elif plan.initial == "normal":
        start = tuple(
            NORMAL_START * jax.random.normal(jax.random.fold_in(key, stage), z.shape, z.dtype)
            for stage, z in enumerate(start)
        )
    if plan.update.space == "activities":
        variables = start
    elif plan.initial == "feedforward":
        variables = jax.tree.map(jnp.zeros_like, start)
    else:
        variables = errors_of(network, x, start, None, None)
    correction = tiled_errors(network, x, start, None, None, plan.front(steps)) if plan.corrected else None
    slots = tuple(plan.update.rule(rates).init(stack) for stack in variables)
    return State(variables, slots, correction, output, empty_trace(network.depth))


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
    """Inference steps span[0] … span[1] - 1. The states at the steps in `rows` are recorded; others cost nothing."""
    if plan.update.space == "errors":
        step = _error_step(network, x, y, plan, rates, rows)
        errors, slots, trace = jax.lax.fori_loop(*span, step, (state.variables, state.slots, state.trace))
        return state._replace(variables=errors, slots=slots, trace=trace)
    tiles, depth, rule = tiles_of(network), network.depth, plan.update.rule(rates)
    read_out, precision = network.stages[-1], network.output_precision[...]

    def step_activities(t: jax.Array, carry: tuple[Activities, Any, Trace]) -> tuple[Activities, Any, Trace]:
        z, slots, trace = carry
        now = rows[trace.row] == t
        wanted = now | (rows[trace.row + now] == t + 1)  # a row holds the rms of the step that led to it too
        (output,), back = jax.vjp(read_out, z[-1][-1:])
        (message,) = back((precision * output_error(network.loss, output, y))[None])
        messages = (*(jnp.zeros_like(own[:1]) for own in z[:-1]), message)

        def take(tile: Tile, carry: Moving) -> tuple[tuple[jax.Array, ...], Any]:
            return around(x, carry.z, tile), tile.cut(carry.slots[tile.stage])

        def visit(tile: Tile, taken: tuple[tuple[jax.Array, ...], Any], carry: Moving) -> Moving:
            around_it, old_slots = taken
            below, own = inputs_and_own(around_it)
            z, slots, messages, measured = carry
            index, stage = tile.stage, tile.cut(network.stages[tile.stage])
            mu, back = jax.vjp(stage, below)
            correction = None if state.correction is None else tile.cut(state.correction[index])
            error = cleaned(own - mu, correction, within_front(tile, depth, t) if plan.follows_front else None)
            (message,) = back(error)
            # Tiles above have moved, but sent their message before that: all layers move from the same old state.
            received = _shifted(message, messages[index])
            update, moved = rule.update(error - received, old_slots)
            if plan.recorded:

                def measure(measured: Measured, error: jax.Array, received: jax.Array) -> Measured:
                    update, _ = rule.update(error - received, old_slots)
                    energies = tile.place(measured.energies, 0.5 * squared_norms(error) / y.shape[0])
                    return Measured(energies, tile.place(measured.updates, _rms(update)))

                measured = jax.lax.cond(wanted, measure, lambda old, *_: old, measured, error, received)
            own_tile = tile.shifted if len(z[index]) > 1 else tile
            z = replaced_at(z, index, own_tile.put(z[index], own + update))
            slots = replaced_at(slots, index, tile.put(slots[index], moved))
            return Moving(z, slots, _sent(messages, message, tile, network.stages[index].count), measured)

        nothing = Measured(jnp.zeros(depth - 1), jnp.zeros(depth - 1))
        z, slots, _, measured = sweep(tiles, plan.front(t + 1), take, visit, Moving(z, slots, messages, nothing))
        slots = tuple(_shared_advanced(rule, own, slot) for own, slot in zip(z, slots, strict=True))
        if plan.recorded:
            loss = precision.astype(jnp.float64) * output_loss(network.loss, output, y)
            trace = record(trace, rows, t, jnp.append(measured.energies, loss))._replace(update=measured.updates)
        return fed(x, z), slots, trace

    z, slots, trace = jax.lax.fori_loop(*span, step_activities, (columns(x, state.variables), state.slots, state.trace))
    return state._replace(variables=activities_of(z), slots=slots, trace=trace)


@short
class Moving(NamedTuple):
    """What an inference step passes from tile to tile: activities (`window.columns`), slots, measurements of the tiles
    visited; `messages` (1, B, ...) for each stage hold what its next tile will receive at its top."""

    z: Activities
    slots: tuple[Any, ...]
    messages: Activities
    measured: Measured


@short
class Measured(NamedTuple):
    """Energies and rms updates of all hidden layers, (H,) float64."""

    energies: jax.Array
    updates: jax.Array


def _shifted(message: jax.Array, above: jax.Array) -> jax.Array:
    """What each layer receives: the message of the layer above it; for the top layer this is `above`. Written into a
    padded copy, because elementwise code over concatenated parts is not vectorised."""
    if len(message) == 1:
        return above
    padding = ((-1, 1, 0), *[(0, 0, 0)] * (message.ndim - 1))
    padded = jax.lax.pad(message, jnp.zeros((), message.dtype), padding)
    return jax.lax.dynamic_update_slice_in_dim(padded, above, len(message) - 1, 0)


def _sent(messages: Activities, message: jax.Array, tile: Tile, count: int) -> Activities:
    """`messages` holds what the next tile of each stage will receive at its top, (1, B, ...); whether that tile belongs
    to the same stage or to the one below is known at run time alone, so both get it."""
    if count > 1:
        messages = replaced_at(messages, tile.stage, message[:1])
    return replaced_at(messages, tile.stage - 1, message[:1]) if tile.stage else messages


def _shared_advanced(rule: optax.GradientTransformation, own: jax.Array, slots: Any) -> Any:
    """A solver's state after all tiles have moved: what layers share (Adam's count) advances once per step, by an
    update of zero layers."""
    none = jax.tree.map(lambda leaf: leaf[:0] if leaf.ndim else leaf, slots)
    _, new = rule.update(own[:0], none)
    return jax.tree.map(lambda leaf, shared: leaf if leaf.ndim else shared, slots, new)


def _rms(update: jax.Array) -> jax.Array:
    return jnp.sqrt(squared_norms(update) / math.prod(update.shape[1:]))


def update_rms(updates: Activities) -> jax.Array:
    """Root mean square of each layer's step, (layers,) float64."""
    return jnp.concatenate([_rms(update) for update in updates])


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


def _error_step(network: Network, x: jax.Array, y: jax.Array, plan: Plan, rates: Rates, rows: jax.Array) -> Any:
    """The inference step on errors, the counterpart of `step_activities` in `advance`."""
    rule = plan.update.rule(rates)

    def step(t: jax.Array, carry: tuple[Activities, Any, Trace]) -> tuple[Activities, Any, Trace]:
        errors, slots, trace = carry
        _, output, gradient = error_energy_gradient(network, x, y, errors)
        gradient = tuple(e + g for e, g in zip(errors, gradient, strict=True))
        new_errors, updates, slots = moved(rule, errors, gradient, slots)
        if plan.recorded:
            trace = record(trace, rows, t, layer_energies(network, errors, output, y))
            trace = trace._replace(update=update_rms(updates))
        return new_errors, slots, trace

    return step


def settle(network: Network, x: jax.Array, y: jax.Array, state: State, t: jax.Array, plan: Plan) -> Settled:
    """Activities, errors and energies of the state after t steps."""
    if plan.update.space == "errors":
        errors = state.variables
        z, output = forward(network, x, errors)
        return settled_at(network, y, z, errors, output)
    z = state.variables
    errors = tiled_errors(network, x, z, state.correction, t if plan.follows_front else None, plan.front(t))
    return settled_at(network, y, z, errors)


def settled_at(
    network: Network,
    y: jax.Array,
    z: Activities,
    errors: Activities,
    output: jax.Array | None = None,
    signals: Activities | None = None,
) -> Settled:
    """The state with hidden activities z, hidden errors, and `signals` if they differ from these; the `output`
    prediction (B, K) is computed unless given."""
    if output is None:
        output = network.output(z)
    top = output_error(network.loss, output, y)[None]
    energies = layer_energies(network, errors, output, y)
    return Settled(z, (*errors, top), energies, None if signals is None else (*signals, top))
