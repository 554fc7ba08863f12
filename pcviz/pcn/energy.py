"""Energies and norms (theory.md 1.1).

F = mean over examples of sum_l E_l, with E_l = 1/2 |e_l|^2 for hidden layers (where a stage has precisions, each square
times its own) and E_L = lambda/2 |y - mu_L|^2 (mse) or -lambda sum_k y_k log softmax(mu_L)_k (ce). Squares are taken in
float64: a float32 error of 1e-30 has an energy.
"""

import math

import jax
import jax.numpy as jnp

from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities, flat


def squared_norms(stack: jax.Array, weights: jax.Array | None = None) -> jax.Array:
    """Sum of squares over all axes but the first: (count, B, ...) -> (count,), float64; each square times its weight,
    (count, 1, ...), if there are any."""
    squares = jnp.square(stack.astype(jnp.float64))
    squares = squares if weights is None else weights[...] * squares
    return jnp.sum(squares, axis=tuple(range(1, stack.ndim)))


def mean_squares(stacks: Activities) -> jax.Array:
    """Mean square of each layer of all stages, (layers,) float64."""
    return jnp.concatenate([squared_norms(stack) / math.prod(stack.shape[1:]) for stack in stacks])


def rms(stack: jax.Array) -> jax.Array:
    """Root mean square over all axes but the first, float64; zero only where every entry is zero."""
    axes = tuple(range(1, stack.ndim))
    if stack.dtype == jnp.float32:
        return jnp.sqrt(squared_norms(stack) / math.prod(stack.shape[1:]))
    # Scaled by the largest entry, because the square of a small float64 would vanish.
    largest = jnp.max(jnp.abs(stack), axis=axes, keepdims=True)
    scaled = stack / jnp.where(largest > 0, largest, 1)
    return jnp.squeeze(largest, axes) * jnp.sqrt(jnp.mean(jnp.square(scaled), axis=axes))


def layer_rms(stacks: Activities) -> jax.Array:
    """`rms` of every layer of all stages, (layers,) float64."""
    return jnp.concatenate([rms(stack) for stack in stacks])


def output_losses(loss: str, output: jax.Array, y: jax.Array) -> jax.Array:
    """1/2 |y - output|^2 or the cross-entropy of each example: (B, K), (B, K) -> (B,), float64."""
    output, y = output.astype(jnp.float64), y.astype(jnp.float64)
    if loss == "mse":
        return 0.5 * jnp.sum(jnp.square(y - output), -1)
    return -jnp.sum(y * jax.nn.log_softmax(output), -1)


def output_loss(loss: str, output: jax.Array, y: jax.Array) -> jax.Array:
    """Batch mean of `output_losses`, () float64."""
    return jnp.mean(output_losses(loss, output, y))


def output_error(loss: str, output: jax.Array, y: jax.Array) -> jax.Array:
    """e_L = y - mu_L (mse) or y - (sum_k y_k) softmax(mu_L) (ce): minus the loss gradient of each example, (B, K)."""
    if loss == "mse":
        return y - output
    return y - jnp.sum(y, -1, keepdims=True) * jax.nn.softmax(output)


def output_energy(network: Network, output: jax.Array, y: jax.Array) -> jax.Array:
    """E_L, lambda times the loss of the output prediction (B, K), () float64."""
    return network.output_precision[...].astype(jnp.float64) * output_loss(network.loss, output, y)


def hidden_energies(network: Network, errors: Activities) -> jax.Array:
    """E_1 … E_H, (H,) float64, from the errors of the hidden stages."""
    stages = zip(network.stages, errors, strict=False)
    return jnp.concatenate([0.5 * squared_norms(stack, stage.precision) / stack.shape[1] for stage, stack in stages])


def layer_energies(network: Network, errors: Activities, output: jax.Array, y: jax.Array) -> jax.Array:
    """E_1 … E_L, (L,) float64, from the hidden errors of each stage and the output prediction (B, K)."""
    return jnp.append(hidden_energies(network, errors), output_energy(network, output, y))


def rounding_energies(activities: Activities, y: jax.Array) -> jax.Array:
    """1/2 |e_l|^2 of errors of 10 eps rms(z_l), z_L = y, (L,) float64, batch mean: energies below are rounding.

    `activities` of the hidden stages.
    """
    floor = (10.0 * float(jnp.finfo(y.dtype).eps)) ** 2
    scale = jnp.concatenate([jnp.einsum("cbn,cbn->c", z, z) for z in map(flat, (*activities, y[None]))])
    return 0.5 * floor * scale.astype(jnp.float64) / y.shape[0]


def layers_with_signal(activities: Activities, errors: Activities, y: jax.Array) -> jax.Array:
    """Number of layers l in 1..L with rms(e_l) > 10 eps rms(z_l), z_L = y: those whose error is more than rounding.

    From a feedforward start, where all errors but the output's are zero, they are the layers that the target's signal
    has reached. From other starts the start itself causes errors too: pass the differences to the errors of the
    same relaxation without the target.

    `activities` of the hidden stages; `errors` of all stages, output last (1, B, K).
    """
    return jnp.sum(error_energies(errors) > rounding_energies(activities, y))


def error_energies(errors: Activities) -> jax.Array:
    """1/2 |e_l|^2 of all stages, (L,) float64, batch mean, whatever their precisions."""
    return jnp.concatenate([0.5 * squared_norms(stack) / stack.shape[1] for stack in errors])
