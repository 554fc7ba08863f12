"""Inference steps on activities: every layer moves by what its neighbours send it (theory.md 3), tile by tile."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from pcviz.brief import short
from pcviz.pcn.energy import mean_squares, squared_norms
from pcviz.pcn.gradients import cleaned, moved_error, within_front
from pcviz.pcn.network import Network
from pcviz.pcn.nudging import energy_of_output, output_pull
from pcviz.pcn.plan import Plan, State
from pcviz.pcn.precisions import precisions
from pcviz.pcn.stacks import Activities, of_layers
from pcviz.pcn.stage import Stage, weighed
from pcviz.pcn.trace import Trace, record
from pcviz.pcn.update import Rates
from pcviz.pcn.window import Tile, activities_of, around, columns, fed, inputs_and_own, replaced_at, sweep, tiles_of


@short
class Measured(NamedTuple):
    """Energies of all layers, (L,), and mean squares of the updates of the hidden ones, (H,), float64."""

    energies: jax.Array
    updates: jax.Array


@short
class Carry(NamedTuple):
    """What passes from step to step: activities (`window.columns`), distances from the start where these are the
    variables, slots, trace."""

    z: Activities
    moved: Activities | None
    slots: tuple[Any, ...]
    trace: Trace


@short
class Taken(NamedTuple):
    """What a tile needs before its predecessor changes anything: activities `around` it, distances `moved`, slots."""

    around: tuple[jax.Array, ...]
    moved: jax.Array | None
    slots: Any


@short
class Local(NamedTuple):
    """What a tile computes: its `own` activities and their `error`, the `message` of each layer to the one below,
    the `update` of each layer's variable and the solver's next `slot`."""

    own: jax.Array
    error: jax.Array
    message: jax.Array
    update: jax.Array
    slot: Any


@short
class Moving(NamedTuple):
    """What an inference step passes from tile to tile: as `Carry`; `messages` (1, B, ...) for each stage hold what its
    next tile will receive at its top."""

    z: Activities
    moved: Activities | None
    slots: tuple[Any, ...]
    messages: Activities


@short
class Seen(NamedTuple):
    """The same of a sweep that moves nothing and measures."""

    z: Activities
    moved: Activities | None
    slots: tuple[Any, ...]
    messages: Activities
    measured: Measured


def local_steps(
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
    tiles, depth, rule = tiles_of(network), network.depth, plan.update.rule(rates)
    read_out = network.stages[-1]

    def scheduled(stage: Stage, error: jax.Array, layers: jax.Array | int, t: jax.Array) -> jax.Array:
        """Errors of these layers times their precisions at step t."""
        error = weighed(stage, error)
        if plan.schedule == "constant":
            return error
        return of_layers(precisions(plan.schedule, layers, depth, t, rates.precisions), error) * error

    def top_message(z: Activities, t: jax.Array) -> tuple[jax.Array, Activities]:
        """The output prediction, and what the top hidden layer receives, with room for the messages of other stages."""
        (output,), back = jax.vjp(read_out, z[-1][-1:])
        (message,) = back(scheduled(read_out, output_pull(network, output, y, state.goal)[None], depth, t))
        return output, (*(jnp.zeros_like(own[:1]) for own in z[:-1]), message)

    def take(tile: Tile, carry: Moving | Seen) -> Taken:
        distance = None if carry.moved is None else tile.cut(carry.moved[tile.stage])
        return Taken(around(x, carry.z, tile), distance, tile.cut(carry.slots[tile.stage]))

    def local(tile: Tile, taken: Taken, messages: Activities, t: jax.Array) -> Local:
        """What the layers of a tile compute from their neighbours."""
        below, own = inputs_and_own(taken.around)
        index, stage = tile.stage, tile.cut(network.stages[tile.stage])
        mu, back = jax.vjp(stage, below)
        correction = None if state.correction is None else tile.cut(state.correction[index])
        reached = within_front(tile, depth, t) if plan.follows_front else None
        if state.start is None or taken.moved is None:
            error = cleaned(own - mu, correction, reached)
        else:
            start = tile.cut(state.start[index])
            error = moved_error(taken.moved, mu, start, correction, reached)
        pull = scheduled(stage, error, tile.numbers(), t)
        (message,) = back(pull)
        # Tiles above have moved, but sent their message before that: all layers move from the same old state.
        received = _shifted(message, messages[index])
        gradient = -received if plan.keeps_errors else pull - received
        update, slot = rule.update(gradient + rates.activity_decay * own if plan.decays else gradient, taken.slots)
        return Local(own, error, message, update, slot)

    def measured(t: jax.Array, z: Activities, moved: Activities | None, slots: tuple[Any, ...]) -> Measured:
        """Energies, and the step that follows: computed apart, so that other steps pay next to nothing."""

        def visit(tile: Tile, taken: Taken, carry: Seen) -> Seen:
            found, stage = local(tile, taken, carry.messages, t), tile.cut(network.stages[tile.stage])
            energies = 0.5 * squared_norms(found.error, stage.precision) / y.shape[0]
            updates = tile.place(carry.measured.updates, mean_squares((found.update,)))
            numbers = Measured(tile.place(carry.measured.energies, energies), updates)
            messages = _sent(carry.messages, found.message, tile, network.stages[tile.stage].count)
            return carry._replace(messages=messages, measured=numbers)

        output, messages = top_message(z, t)
        hidden = sweep(tiles, plan.front(t + 1), take, visit, Seen(z, moved, slots, messages, nothing)).measured
        top = energy_of_output(network, output, y, state.goal)
        return hidden._replace(energies=hidden.energies.at[-1].set(top))

    def one_step(t: jax.Array, carry: Carry) -> Carry:
        z, moved, slots, trace = carry

        def visit(tile: Tile, taken: Taken, carry: Moving) -> Moving:
            z, moved, slots, messages = carry
            index, found = tile.stage, local(tile, taken, messages, t)
            if moved is not None and taken.moved is not None and state.start is not None:
                distance = taken.moved + found.update
                moved = replaced_at(moved, index, tile.put(moved[index], distance))
                new = tile.cut(state.start[index]) + distance
            else:
                new = found.own + found.update
            if not plan.frozen:
                own_tile = tile.shifted if len(z[index]) > 1 else tile
                z = replaced_at(z, index, own_tile.put(z[index], new))
            slots = replaced_at(slots, index, tile.put(slots[index], found.slot))
            return Moving(z, moved, slots, _sent(messages, found.message, tile, network.stages[index].count))

        _, messages = top_message(z, t)
        z, moved, slots, _ = sweep(tiles, plan.front(t + 1), take, visit, Moving(z, moved, slots, messages))
        slots = tuple(_shared_advanced(rule, own, slot) for own, slot in zip(z, slots, strict=True))
        return Carry(fed(x, z), moved, slots, trace)

    def recorded_steps(both: tuple[jax.Array, Carry]) -> tuple[jax.Array, Carry]:
        """Measure the state at step t if a row needs it, then go on to the next one that a row needs. Whether to is
        asked once for all steps in between: asked in every step, XLA copies the whole state there."""
        t, carry = both
        now, row = rows[carry.trace.row] == t, carry.trace.row
        following = rows[row + now]
        wanted = now | (following == t + 1)  # a row holds the rms of the step that led to it too
        numbers = jax.lax.cond(wanted, measured, lambda *_: nothing, t, carry.z, carry.moved, carry.slots)
        trace = record(carry.trace, rows, t, numbers.energies)._replace(update=numbers.updates)
        until = jnp.where(following < 0, span[1], jnp.minimum(jnp.maximum(following - 1, t + 1), span[1]))
        return until, jax.lax.fori_loop(t, until, one_step, carry._replace(trace=trace))

    nothing = Measured(jnp.zeros(depth), jnp.zeros(depth - 1))
    moved = None if state.start is None else state.variables
    start = Carry(columns(x, state.seen(plan)), moved, state.slots, state.trace)
    if plan.recorded:
        begun = (jnp.asarray(span[0], jnp.int32), start)
        _, (z, moved, slots, trace) = jax.lax.while_loop(lambda both: both[0] < span[1], recorded_steps, begun)
    else:
        z, moved, slots, trace = jax.lax.fori_loop(*span, one_step, start)
    return state._replace(variables=activities_of(z) if moved is None else moved, slots=slots, trace=trace)


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
