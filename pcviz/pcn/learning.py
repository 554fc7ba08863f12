"""Learning: one weight step from one batch, by any rule.

A step has three parts, so that a long one can be spread over several slices of time: `begin` starts the relaxation,
`advance` runs some inference steps, `finish` settles it and moves the weights. `weight_steps` runs many whole steps in
one compiled loop. Steps, rates and seeds are traced: changing them never recompiles.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Experiment
from pcviz.numerics.compiling import Program, compiled
from pcviz.pcn import inference, linear, optimisers, shards
from pcviz.pcn.energy import error_energies, output_loss, rounding_energies
from pcviz.pcn.gradients import learned_gradient
from pcviz.pcn.network import Network, stacked_weights
from pcviz.pcn.nudging import repeated
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.options import plan_of, rates_of
from pcviz.pcn.rules import rule_of
from pcviz.pcn.rules.base import Method, Numbers, Step, descended
from pcviz.pcn.trace import Trace, empty_trace, record


@short
class Report(NamedTuple):
    """The report of a weight step: feedforward `loss` before it, energy at the `start` of the relaxation, `energies` of
    the layers (L,) at its end, energies of their `rounding` (L,), number of `layers_with_signal`, `trace` of the
    relaxation, `least_energy` F* of the batch (NaN where unknown); `finite` is false where the step diverged;
    `weight_changes` (L,) are |dW_l| / |W_l|, zero until the caller, which has both networks, fills them in."""

    loss: jax.Array
    start: jax.Array
    energies: jax.Array
    rounding: jax.Array
    layers_with_signal: jax.Array
    trace: Trace
    least_energy: jax.Array
    finite: jax.Array
    weight_changes: jax.Array


def method_of(experiment: Experiment, *, windowed: bool = True, recorded: bool = True, shards: int = 1) -> Method:
    """The compiled part of an experiment."""
    learning, facts = experiment.learning, experiment.learning.facts
    fixed = not facts.moves_weights
    flags = {"windowed": windowed, "recorded": recorded, "fixed_weights": fixed}
    plan = plan_of(experiment.inference, learning, **flags)
    known = recorded and facts.relaxes and fixed and experiment.relaxes_plainly and experiment.network.has_closed_form
    return Method(rule_of(learning.rule), learning.optimiser, plan, known, shards)


def numbers_of(experiment: Experiment, rows: jax.Array) -> Numbers:
    """The traced part of an experiment, in its number format."""
    dtype, learning = experiment.dtype, experiment.learning
    numbers = [experiment.learning_rates, learning.adam_epsilon, learning.weight_decay]
    if experiment.network.biases:
        numbers.append(experiment.bias_rates)
    descent = Descent(*(jax.device_put(np.asarray(number, dtype)) for number in numbers))
    steps = experiment.inference_steps
    rates = rates_of(experiment.inference, steps, dtype)
    norm = None if learning.weight_norm == "none" else jax.device_put(np.asarray(learning.weight_norm, dtype))
    return Numbers(jax.device_put(np.int32(steps)), rates, descent, jax.device_put(rows), norm)


def fresh_slots(method: Method, network: Network, numbers: Numbers) -> Any:
    """Optimiser state of a new run."""
    return optimisers.start(method.optimiser, stacked_weights(network), numbers.descent)


def begin(
    method: Method, network: Network, slots: Any, x: jax.Array, y: jax.Array, numbers: Numbers, key: jax.Array
) -> Step:
    """Start a weight step on the batch x (B, D), y (B, K); `key` draws normal initial activities."""
    x, y = (repeated(method.plan.nudging, part) for part in (x, y))
    rows = len(numbers.rows) - 1
    return Step(network, slots, inference.begin(network, x, y, method.plan, numbers.rates, key, numbers.steps, rows))


def advance(
    method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers, span: tuple[jax.Array, jax.Array]
) -> Step:
    """Inference steps span[0] … span[1] - 1 of a weight step."""
    x, y = (repeated(method.plan.nudging, part) for part in (x, y))
    return method.rule.advance(method, step, x, y, numbers, span)


def finish(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers) -> tuple[Network, Any, Report]:
    """Settle the relaxation, move the weights, report."""
    x, y = (repeated(method.plan.nudging, part) for part in (x, y))
    settled = method.rule.settle(method, step, x, y, numbers)
    network, slots = step.network, step.slots
    least = jnp.array(jnp.nan)
    if method.knows_equilibrium:
        shown = numbers.rows[0] >= 0
        least = jax.lax.cond(shown, lambda: linear.least_energy(network, x, y), lambda: jnp.array(jnp.nan))
    trace = record(step.relaxation.trace, numbers.rows, numbers.steps, settled.energies)
    # Distances from the start are exact however small they are.
    exact = method.plan.displaced
    rounding = jnp.zeros(network.depth) if exact else rounding_energies(settled.activities, y)
    sent = settled.signals if exact and settled.signals is not None else settled.errors
    loss = output_loss(network.loss, step.relaxation.output, y)
    start = jnp.asarray(step.relaxation.energy)
    found = (loss, start, settled.energies, rounding, error_energies(sent), trace.rows, trace.update, least)
    if method.shards > 1:
        found = shards.mean(found)
    loss, start, energies, rounding, errors, rows, update, least = found
    if method.rule.learns_at_the_end:
        gradients = learned_gradient(network, x, settled, method.plan.front(numbers.steps))
        if method.shards > 1:
            gradients = shards.mean(gradients)
        network, slots = descended(method, network, slots, gradients, numbers)
    finite = jnp.isfinite(loss) & jnp.all(jnp.isfinite(energies))
    for leaf in jax.tree.leaves(stacked_weights(network)):
        finite &= jnp.all(jnp.isfinite(leaf))
    signal, unknown = jnp.sum(errors > rounding), jnp.zeros(network.depth)
    trace = trace._replace(rows=rows, update=update)
    return network, slots, Report(loss, start, energies, rounding, signal, trace, least, finite, unknown)


def weight_changes(before: Network, after: Network) -> jax.Array:
    """|dW_l| / |W_l| of layers 1 … L, (L,) float64; 0 where nothing moved."""
    old, new = stacked_weights(before), stacked_weights(after)
    moved, size = _squares(jax.tree.map(jnp.subtract, new, old)), _squares(old)
    return jnp.sqrt(moved / jnp.maximum(size, jnp.finfo(moved.dtype).tiny))


def _squares(weights: tuple[Any, ...]) -> jax.Array:
    """Sum of squares of each layer's weights, (L,) float64, summed in their own format: a change of weights is never so
    much smaller than they are that its square is lost."""
    stages = ([jnp.einsum("l...,l...->l", leaf, leaf) for leaf in jax.tree.leaves(stack)] for stack in weights)
    return jnp.concatenate([sum(rest, start=first) for first, *rest in stages]).astype(jnp.float64)


@short
class Batches(NamedTuple):
    """Training data on the device, x (P, D), y (P, K); `indices` (M, B) of the examples in the coming batches; `wanted`
    (M,) bool, the steps whose weight changes are measured."""

    x: jax.Array
    y: jax.Array
    indices: jax.Array | np.ndarray
    wanted: jax.Array | np.ndarray


@short
class Course(NamedTuple):
    """Values of every weight step, (M,) and (M, L): see `Report`."""

    losses: jax.Array
    energies: jax.Array
    weight_changes: jax.Array


@compiled("method")
def weight_steps(
    method: Method, network: Network, slots: Any, batches: Batches, count: jax.Array, numbers: Numbers, keys: jax.Array
) -> tuple[Network, Any, Report, Course, jax.Array]:
    """At most `count` weight steps on the first rows of `batches.indices`, ending early where one is not finite.

    `keys` (M,) draw normal initial activities. Returns the network, its slots, the report of the last finite step (zero
    if there is none), the course of all steps and the number of finite ones. The relaxation is recorded in step `count`
    only, changes of weights there and in the steps that are `batches.wanted`. With shards, each runs the loop on its
    part of every batch, and what is returned is the same on all (`shards.on_one`).
    """
    arguments: list[Any] = [network, slots, batches, count, numbers, keys]
    if method.shards == 1:
        return _weight_steps(method, *arguments)
    specs = jax.tree.map(lambda _: shards.WHOLE, arguments)
    specs[2] = specs[2]._replace(indices=shards.HALVES)
    result: tuple[Network, Any, Report, Course, jax.Array]
    result = shards.over(partial(_weight_steps, method), specs, arguments)
    return result


def _weight_steps(
    method: Method, network: Network, slots: Any, batches: Batches, count: jax.Array, numbers: Numbers, keys: jax.Array
) -> tuple[Network, Any, Report, Course, jax.Array]:
    rows = jnp.zeros((batches.indices.shape[0], network.depth))

    def weight_step(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        done, _, network, slots, last, course = carry
        chosen = batches.indices[done]
        x, y = batches.x[chosen], batches.y[chosen]
        seen = numbers._replace(rows=jnp.where(done + 1 == count, numbers.rows, -1))
        step = begin(method, network, slots, x, y, seen, keys[done])
        step = advance(method, step, x, y, seen, (jnp.zeros((), jnp.int32), seen.steps))
        before, (network, slots, report) = network, finish(method, step, x, y, seen)
        nothing = report.weight_changes
        measured = (done + 1 == count) | batches.wanted[done]
        changes = jax.lax.cond(measured, weight_changes, lambda *_: nothing, before, network)
        report = report._replace(weight_changes=changes)
        last = jax.tree.map(lambda new, old: jnp.where(report.finite, new, old), report, last)
        values = Course(report.loss, report.energies, changes)
        course = jax.tree.map(lambda rows, row: rows.at[done].set(row), course, values)
        return done + report.finite, report.finite, network, slots, last, course

    nothing = _no_report(network.depth, len(numbers.rows) - 1)
    start = (jnp.zeros((), jnp.int32), jnp.array(True), network, slots, nothing, Course(rows[:, 0], rows, rows))
    done, finite, network, slots, last, course = jax.lax.while_loop(lambda c: (c[0] < count) & c[1], weight_step, start)
    return network, slots, last._replace(finite=finite), course, done


def _no_report(depth: int, rows: int) -> Report:
    """A report of the right shape, all zero."""
    zero, none, layers = jnp.zeros(()), jnp.array(False), jnp.zeros(depth)
    return Report(zero, zero, layers, layers, jnp.zeros((), int), empty_trace(depth, rows), zero, none, layers)


begin_step, advance_step, finish_step = (Program(part, "method") for part in (begin, advance, finish))
weight_changes_of_step = Program(weight_changes)
