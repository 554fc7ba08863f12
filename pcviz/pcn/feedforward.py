"""The feedforward pass, its loss, and backpropagation through it."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.batch import as_batch, as_inputs
from pcviz.pcn.energy import output_error, output_loss
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.network import Network, with_precision
from pcviz.pcn.stacks import Activities, flat, over_layers, unstack
from pcviz.pcn.stage import Stage


def forward(network: Network, x: jax.Array, errors: Activities | None = None) -> tuple[Activities, jax.Array]:
    """z_l = mu_l(z_{l-1}) + e_l from x (B, D) on, layer after layer; errors are zero unless given.

    Returns the hidden activities and the output (B, K).
    """
    z, activities = x, []
    for index, stage in enumerate(network.stages[:-1]):

        def layer(below: jax.Array, own: tuple[Stage, jax.Array | None]) -> tuple[jax.Array, jax.Array]:
            z = own[0](below) if own[1] is None else own[0](below) + own[1]
            return z, z

        z, stack = over_layers(layer, z, (stage, None if errors is None else errors[index]))
        activities.append(stack)
    return tuple(activities), network.output((z[None],))


def output_and_jacobians(network: Network, x: jax.Array, errors: Activities) -> tuple[jax.Array, list[jax.Array]]:
    """The output (B, K), and its derivatives in the activities of the hidden stages, G_l of every example, each
    (K, count, B, N)."""
    output, vjp = jax.vjp(lambda e: forward(network, x, e)[1], errors)
    units = jnp.broadcast_to(jnp.eye(output.shape[1], dtype=output.dtype)[:, None], (output.shape[1], *output.shape))
    return output, [jax.vmap(flat)(g) for g in jax.vmap(vjp)(units)[0]]


def error_energy_gradient(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    errors: Activities,
    *,
    pull: Callable[[jax.Array], jax.Array] | None = None,
    decay: jax.Array | float | None = None,
) -> tuple[Activities, jax.Array, Activities]:
    """The output energy as a function of the hidden errors (theory.md 3.6), summed over examples.

    Returns (activities, output (B, K), gradient of the output energy with respect to the errors); at zero errors the
    gradient is backpropagation's: dLoss/dz_l of each example, times lambda. `pull`: minus the gradient of the output
    energy as a function of the output, if it is not lambda e_L. `decay` adds that of decay / 2 |z|².
    """
    if pull is not None or decay is not None:
        (activities, output), back = jax.vjp(lambda errors: forward(network, x, errors), errors)
        own = network.output_precision[...] * output_error(network.loss, output, y) if pull is None else pull(output)
        weight = 0 if decay is None else decay
        (gradient,) = back((jax.tree.map(lambda z: weight * z, activities), -own))
        return activities, output, gradient

    def energy(errors: Activities) -> tuple[jax.Array, tuple[Activities, jax.Array]]:
        activities, output = forward(network, x, errors)
        total = output_loss(network.loss, output, y) * x.shape[0]
        return network.output_precision[...].astype(total.dtype) * total, (activities, output)

    gradient, (activities, output) = jax.grad(energy, has_aux=True)(errors)
    return activities, output, gradient


@compiled()
def _feedforward(network: Network, x: jax.Array) -> tuple[Activities, jax.Array]:
    return forward(network, x)


def feedforward(network: Network, x: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    """Feedforward activities [z_1 … z_{L-1}], each (B, N_l), and the output (B, K) for inputs x (B, D)."""
    activities, output = _feedforward(network, as_inputs(network, x))
    return unstack(activities), output


@short
class Evaluation(NamedTuple):
    """Feedforward loss (mean over examples) and the share of examples whose largest output is their class."""

    loss: jax.Array
    accuracy: jax.Array


@compiled()
def evaluate(network: Network, x: jax.Array, y: jax.Array) -> Evaluation:
    """Loss and accuracy of the feedforward pass on x (P, D), y (P, K).

    Exact for predictive coding: without a target the feedforward state is the energy minimum.
    """
    output = forward(network, x)[1]
    right = jnp.argmax(output, -1) == jnp.argmax(y, -1)
    return Evaluation(output_loss(network.loss, output, y), jnp.mean(right, dtype=jnp.float64))


@short
class Backprop(NamedTuple):
    """Feedforward loss; its weight gradients [(N_l, N_{l-1})]; delta_l = -dLoss/dz_l of each example, [(B, N_l)]."""

    loss: jax.Array
    gradients: list[jax.Array]
    deltas: list[jax.Array]


def backprop(network: Network, x: jax.Array, y: jax.Array) -> Backprop:
    """Backpropagation of the feedforward loss (batch mean, without lambda): the baseline of all comparisons."""
    return _backprop(network, *as_batch(network, x, y))


@compiled()
def _backprop(network: Network, x: jax.Array, y: jax.Array) -> Backprop:
    plain = with_precision(network, 1)
    zeros = jax.tree.map(jnp.zeros_like, forward(plain, x)[0])
    activities, output, gradient = error_energy_gradient(plain, x, y, zeros)
    deltas = (*(-g for g in gradient), output_error(plain.loss, output, y)[None])
    return Backprop(
        output_loss(plain.loss, output, y), unstack(weight_gradient(plain, x, activities, deltas)), unstack(deltas)
    )
