"""The obvious implementation: a predictive coding network in JAX with Python loops over layers and `jax.grad`.

The energy is one scalar; automatic differentiation gives activity and weight gradients; the whole training step is
jitted with donated buffers. It is the honest baseline of the benchmarks (same arithmetic, one compiled call a step)
and, as an independent implementation, a check in the tests. Its program, and so its compile time, grows with depth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

Layers = list[jax.Array]


class Model(NamedTuple):
    """Everything but the weights: premultipliers a_l and skip flags tau_l, activation, output energy."""

    premultipliers: tuple[float, ...]
    skips: tuple[int, ...]
    activation: Callable[[jax.Array], jax.Array]
    loss: str = "mse"
    output_precision: float = 1.0


def mupc(
    depth: int, width: int, input_dim: int, activation: Callable[[jax.Array], jax.Array] = jnp.tanh, skips: bool = True
) -> Model:
    """A muPC network (theory.md 2.1)."""
    hidden = (width * (depth if skips else 1)) ** -0.5
    flags = (0, *[int(skips)] * (depth - 2), 0)
    return Model((input_dim**-0.5, *[hidden] * (depth - 2), 1 / width), flags, activation)


def predict(model: Model, layer: int, weight: jax.Array, z: jax.Array) -> jax.Array:
    """mu_l = a_l W_l phi_l(z_{l-1}) + tau_l z_{l-1}; layers count from 0 here, and phi_1 is the identity."""
    phi = z if layer == 0 else model.activation(z)
    mu = model.premultipliers[layer] * phi @ weight.T
    return mu + z if model.skips[layer] else mu


def feedforward(model: Model, weights: Layers, x: jax.Array) -> Layers:
    """[z_1 … z_H]."""
    z, activities = x, []
    for layer, weight in enumerate(weights[:-1]):
        z = predict(model, layer, weight, z)
        activities.append(z)
    return activities


def energy(model: Model, weights: Layers, activities: Layers, x: jax.Array, y: jax.Array) -> jax.Array:
    """F, the mean over the batch (theory.md 1.1)."""
    below, total = x, jnp.zeros((), x.dtype)
    for layer, (weight, z) in enumerate(zip(weights[:-1], activities, strict=True)):
        total += 0.5 * jnp.sum((z - predict(model, layer, weight, below)) ** 2)
        below = z
    output = predict(model, len(weights) - 1, weights[-1], below)
    if model.loss == "mse":
        total += 0.5 * model.output_precision * jnp.sum((y - output) ** 2)
    else:
        total -= model.output_precision * jnp.sum(y * jax.nn.log_softmax(output))
    return total / x.shape[0]


def relax(
    model: Model, weights: Layers, activities: Layers, x: jax.Array, y: jax.Array, step_size: float, steps: int
) -> Layers:
    """`steps` steps of gradient descent on the activities, `step_size` per example."""
    rate = step_size * x.shape[0]

    def step(_: int, z: Layers) -> Layers:
        gradients = jax.grad(energy, argnums=2)(model, weights, z, x, y)
        return [a - rate * g for a, g in zip(z, gradients, strict=True)]

    return jax.lax.fori_loop(0, steps, step, activities)


def make_training_step(
    model: Model, optimiser: optax.GradientTransformation, step_size: float, steps: int
) -> Callable[[Layers, Any, jax.Array, jax.Array], tuple[Layers, Any, jax.Array]]:
    """A jitted training step (weights, optimiser state, x, y) -> (weights, optimiser state, feedforward loss)."""

    @partial(jax.jit, donate_argnums=(0, 1))
    def training_step(weights: Layers, slots: Any, x: jax.Array, y: jax.Array) -> tuple[Layers, Any, jax.Array]:
        start = feedforward(model, weights, x)
        loss = energy(model, weights, start, x, y)
        activities = relax(model, weights, start, x, y, step_size, steps)
        gradients = jax.grad(energy, argnums=1)(model, weights, activities, x, y)
        updates, slots = optimiser.update(gradients, slots, weights)
        return optax.apply_updates(weights, updates), slots, loss

    return training_step
