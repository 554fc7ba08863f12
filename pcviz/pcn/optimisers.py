"""Weight optimisers. Each layer has a state of its own (moments, step count), so that layers can wait for a signal."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.stacks import Activities, of_layers
from pcviz.pcn.stage import is_bias

Weights = tuple[Any, ...]
"""Weights of the stages: arrays or trees of arrays, (count, ...) each."""


@short
class Descent(NamedTuple):
    """Traced numbers of an optimiser: changing them never recompiles. `learning_rate` (L,) is that of each layer,
    `bias_rate` (L,) that of its biases, None where these are no exception."""

    learning_rate: jax.Array
    adam_epsilon: jax.Array
    weight_decay: jax.Array
    bias_rate: jax.Array | None = None


def _adam(descent: Descent) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(descent.weight_decay), optax.adam(descent.learning_rate, eps=descent.adam_epsilon)
    )


def _sgd(descent: Descent) -> optax.GradientTransformation:
    return optax.chain(optax.add_decayed_weights(descent.weight_decay), optax.sgd(descent.learning_rate))


def _adamw(descent: Descent) -> optax.GradientTransformation:
    return optax.adamw(descent.learning_rate, eps=descent.adam_epsilon, weight_decay=descent.weight_decay)


OPTIMISERS: dict[str, Callable[[Descent], optax.GradientTransformation]] = {
    "adam": _adam,
    "sgd": _sgd,
    "adamw": _adamw,
}
"""adam and sgd add weight decay to the gradient, adamw applies it to the weights directly."""


def _optimiser(name: str, descent: Descent) -> optax.GradientTransformation:
    """The optimiser of one layer; biases have a rate of their own and no decay."""
    weights = OPTIMISERS[name](descent)
    if descent.bias_rate is None:
        return weights
    nothing = jnp.zeros_like(descent.weight_decay)
    biases = OPTIMISERS[name](descent._replace(learning_rate=descent.bias_rate, weight_decay=nothing))
    return optax.partition({False: weights, True: biases}, _are_biases)


def _are_biases(weights: Any) -> Any:
    """Whether each leaf holds biases, as a tree."""
    return jax.tree.map_with_path(lambda path, _: is_bias(path), weights)


@compiled("name")
def start(name: str, weights: Weights, descent: Descent) -> Any:
    """Fresh optimiser state, stacked by layer like the weights."""
    return tuple(jax.vmap(_optimiser(name, descent).init)(stack) for stack in weights)


def descend(
    name: str, descent: Descent, weights: Weights, gradients: Weights, slots: Any, moving: Activities | None = None
) -> tuple[Weights, Any]:
    """One step of every layer; layers where `moving` (count,) is false keep weights and state. Returns both."""

    def update(rates: tuple[Any, ...], own: Any, gradient: Any, slot: Any) -> tuple[Any, Any]:
        numbers = descent._replace(learning_rate=rates[0], bias_rate=rates[1])
        change, slot = _optimiser(name, numbers).update(gradient, slot, own)
        return jax.tree.map(jnp.add, own, change), slot

    moved, first = [], 0
    for index, old in enumerate(zip(weights, slots, strict=True)):
        count = len(jax.tree.leaves(old)[0])
        layers = slice(first, first + count)
        rates = jax.tree.map(lambda of_all, layers=layers: of_all[layers], (descent.learning_rate, descent.bias_rate))
        new = jax.vmap(update)(rates, old[0], gradients[index], old[1])
        if moving is not None:
            new = jax.tree.map(lambda a, b, move=moving[index]: jnp.where(of_layers(move, a), a, b), new, old)
        moved.append(new)
        first += count
    stepped, states = zip(*moved, strict=True)
    return stepped, states
