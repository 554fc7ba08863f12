"""Local gradients of the energy (theory.md 1.5): every layer needs only its neighbours, so a stage is one batched call.

With `mu, vjp = jax.vjp(stage, z_below)` and e = z - mu, the activity gradient of every layer is e - vjp(e_above).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics.compiling import Program
from pcviz.pcn.energy import output_error
from pcviz.pcn.network import Network, stacked_weights
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import Activities, of_layers
from pcviz.pcn.stage import Stage, weighed
from pcviz.pcn.window import Tile, around, columns, inputs_and_own, replaced_at, sweep, tiles_of


@short
class Local(NamedTuple):
    """One evaluation of all layers: `errors` of every stage (output last, (1, B, K)), the output prediction mu_L (B, K)
    and the per-example energy gradient with respect to the hidden activities of each stage."""

    errors: Activities
    output: jax.Array
    gradient: Activities


def inputs_of(x: jax.Array, z: Activities) -> list[jax.Array]:
    """The activities below each layer, for every stage: the layer under the stage, then all of its own but the last."""
    inputs, below = [], x[None]
    for own in z:
        inputs.append(below if own.shape[0] == 1 else jnp.concatenate([below, own[:-1]]))
        below = own[-1:]
    return [*inputs, below]


def errors_of(
    network: Network, x: jax.Array, z: Activities, correction: Activities | None, reached: Activities | None
) -> Activities:
    """Hidden prediction errors e = z - mu(z) - correction, zeroed in layers where `reached` (count,) is false."""
    below = inputs_of(x, z)
    errors = tuple(own - stage(b) for stage, own, b in zip(network.stages, z, below, strict=False))
    return _clean(errors, correction, reached)


def cleaned(errors: jax.Array, correction: jax.Array | None, reached: jax.Array | None) -> jax.Array:
    """Errors minus the rounding of the start, zero in layers that no signal can have reached."""
    errors = errors if correction is None else errors - correction
    return errors if reached is None else jnp.where(of_layers(reached, errors), errors, 0)


def moved_error(
    moved: jax.Array, mu: jax.Array, start: jax.Array, correction: jax.Array | None, reached: jax.Array | None
) -> jax.Array:
    """Errors from the distance `moved` from the feedforward `start`, the prediction `mu` and the rounding of the start:
    exact to the last digit of the distance where the prediction has not changed, however small it is."""
    change = mu - start if correction is None else (mu - start) + correction
    return cleaned(moved - change, None, reached)


def _clean(errors: Activities, correction: Activities | None, reached: Activities | None) -> Activities:
    nothing = (None,) * len(errors)
    return tuple(map(cleaned, errors, correction or nothing, reached or nothing))


def within_front(tile: Tile, depth: int, t: jax.Array | None) -> jax.Array | None:
    """Which layers of a tile the output error has reached after t steps: l >= L - t, (size,)."""
    return None if t is None else tile.numbers() >= jnp.asarray(depth - t, jnp.int32)


def tiled_errors(
    network: Network,
    x: jax.Array,
    z: Activities,
    correction: Activities | None,
    t: jax.Array | None,
    front: jax.Array | None,
    since: tuple[Activities, Activities] | None = None,
) -> Activities:
    """`errors_of` after t steps, tile by tile: rounded as during a relaxation; zero below the top `front` layers.

    `since`: the feedforward start and the distances from it, where errors are computed from these; z are then the
    activities that layers predict from.
    """
    rows, depth = columns(x, z), network.depth

    def visit(tile: Tile, _: None, errors: Activities) -> Activities:
        index = tile.stage
        below, own = inputs_and_own(around(x, rows, tile))
        subtracted = None if correction is None else tile.cut(correction[index])
        mu, reached = tile.cut(network.stages[index])(below), within_front(tile, depth, t)
        if since is None:
            error = cleaned(own - mu, subtracted, reached)
        else:
            start, moved = (tile.cut(stacks[index]) for stacks in since)
            error = moved_error(moved, mu, start, subtracted, reached)
        return replaced_at(errors, index, tile.put(errors[index], error))

    return sweep(tiles_of(network), front, lambda *_: None, visit, jax.tree.map(jnp.zeros_like, z))


def activity_gradient(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    z: Activities,
    correction: Activities | None = None,
    reached: Activities | None = None,
    precisions: jax.Array | None = None,
    decay: jax.Array | float | None = None,
) -> Local:
    """Errors and energy gradient at the hidden activities z, with input x (B, D) and target y (B, K) clamped.

    `correction` is the rounding difference of the feedforward start, subtracted from every error so that layers that
    no signal has reached have an error of exactly zero; `reached` masks the layers ahead of the front (theory.md 6.1).
    `precisions` (L,) of a schedule weigh the errors in the gradient; `decay` adds that of decay / 2 |z|².
    """
    below = inputs_of(x, z)
    hidden = list(zip(list(network.stages)[:-1], z, below, strict=False))
    predicted = [jax.vjp(stage, b) for stage, _, b in hidden]
    errors = _clean(
        tuple(own - mu for (_, own, _), (mu, _) in zip(hidden, predicted, strict=True)), correction, reached
    )
    (output,), read_out = jax.vjp(network.stages[-1], below[-1])
    d_output = output_error(network.loss, output, y)
    gradient: list[jax.Array] = []
    pulls = tuple(weighed(stage, e) for (stage, _, _), e in zip(hidden, errors, strict=True))
    pull = network.output_precision[...] * d_output
    if precisions is not None:
        edges = np.cumsum([len(stack) for stack in z])
        weights = jnp.split(precisions, edges)
        pulls = tuple(of_layers(w, e) * e for w, e in zip(weights[:-1], pulls, strict=True))
        pull = weights[-1][0] * pull
    (above,) = read_out(pull[None])
    for own, error, (_, vjp) in zip(reversed(z), reversed(pulls), reversed(predicted), strict=True):
        (message,) = vjp(error)
        received = above if error.shape[0] == 1 else jnp.concatenate([message[1:], above])
        gradient.append(error - received if decay is None else error - received + decay * own)
        above = message[:1]
    return Local((*errors, d_output[None]), output, tuple(reversed(gradient)))


def weight_gradient(
    network: Network, x: jax.Array, z: Activities, errors: Activities, front: jax.Array | None = None
) -> tuple[Any, ...]:
    """dF/dW_l = -(a_l / B) d_l^T phi(z_{l-1}), batch mean, shaped as `stacked_weights`.

    `errors` of all stages; the output's (1, B, K) is multiplied by lambda here: d_L = lambda e_L. If `front` is
    given, only the top `front` hidden layers have errors, and the gradients of the others are zero.
    """
    rows = columns(x, z)

    def visit(tile: Tile, _: None, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        index = tile.stage
        below, _own = inputs_and_own(around(x, rows, tile))
        part = _stage_gradient(tile.cut(network.stages[index]), below, tile.cut(errors[index]))
        return replaced_at(gradients, index, tile.put(gradients[index], part))

    zeros = jax.tree.map(jnp.zeros_like, stacked_weights(network)[:-1])
    hidden = sweep(tiles_of(network), front, lambda *_: None, visit, zeros)
    output = network.output_precision[...] * errors[-1]
    return (*hidden, _stage_gradient(network.stages[-1], inputs_of(x, z)[-1], output))


def learned_gradient(
    network: Network, x: jax.Array, settled: Settled, front: jax.Array | None = None
) -> tuple[Any, ...]:
    """The weight gradient at the end of a relaxation, from what weights learn from: errors, or `Settled.signals`."""
    inputs = settled.activities if settled.inputs is None else settled.inputs
    signals = settled.errors if settled.signals is None else settled.signals
    return weight_gradient(network, x, inputs, signals, front)


stacked_gradients = Program(learned_gradient)


def _stage_gradient(stage: Stage, below: jax.Array, error: jax.Array) -> Any:
    _, vjp = jax.vjp(lambda weights: stage.with_weights(weights)(below), stage.weights)
    (gradient,) = vjp(-error / error.shape[1])
    return gradient
