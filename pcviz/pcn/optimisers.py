"""Weight optimisers. Each layer has a state of its own (moments, step count), so that layers can wait for a signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from pcviz.brief import short

Weights = tuple[jax.Array, ...]
"""Weights of the stages, (count, N_out, N_in) each."""


@short
class Descent(NamedTuple):
    """Traced numbers of an optimiser: changing them never recompiles."""

    learning_rate: jax.Array
    adam_epsilon: jax.Array
    weight_decay: jax.Array


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


def start(name: str, weights: Weights, descent: Descent) -> Any:
    """Fresh optimiser state, stacked by layer like the weights."""
    return tuple(jax.vmap(OPTIMISERS[name](descent).init)(stack) for stack in weights)


def descend(
    name: str, descent: Descent, weights: Weights, gradients: Weights, slots: Any, moving: Weights | None = None
) -> tuple[Weights, Any]:
    """One step of every layer; layers where `moving` (count,) is false keep weights and state. Returns both."""
    update = jax.vmap(OPTIMISERS[name](descent).update)
    stepped, states = [], []
    for index, (stack, gradient, state) in enumerate(zip(weights, gradients, slots, strict=True)):
        change, new_state = update(gradient, state, stack)
        new_stack = stack + change
        if moving is not None:
            new_stack = _where(moving[index], new_stack, stack)
            new_state = jax.tree.map(lambda new, old, move=moving[index]: _where(move, new, old), new_state, state)
        stepped.append(new_stack)
        states.append(new_state)
    return tuple(stepped), tuple(states)


def _where(layers: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    return jnp.where(layers.reshape(-1, *[1] * (new.ndim - 1)), new, old)
