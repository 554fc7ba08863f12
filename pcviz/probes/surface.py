"""The two surfaces over weight space: the loss, on which backpropagation descends, and the equilibrated energy F*, on
which predictive coding does (theory.md 4.2, 4.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp

from pcviz.pcn import linear
from pcviz.pcn.energy import output_error, output_loss
from pcviz.pcn.equilibrium import conjugate
from pcviz.pcn.equilibrium.conjugate import Conjugate
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import replaced, stacked_weights, weight_gradient
from pcviz.pcn.network import Network

Kind = Literal["loss", "energy"]

SETTLED = 1e-6
"""An equilibrium is found when a step of conjugate gradients gains less than this share of the energy: the last gains
shrink so fast that F* is then good to 1e-5."""
MOST_STEPS = 400


def loss_of(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean feedforward loss on x (B, D), y (B, K), () float64."""
    return output_loss(network.loss, forward(network, x)[1], y)


def settled(network: Network, x: jax.Array, y: jax.Array) -> Conjugate:
    """The equilibrium of every example from the feedforward point, by conjugate gradients in error coordinates: of the
    solvers without a step size to choose the fastest that converges for every network (`make bench-equilibrium`)."""

    def unsettled(carry: tuple[Conjugate, jax.Array, jax.Array]) -> jax.Array:
        state, gained, steps = carry
        return (gained > SETTLED * jnp.mean(state.place.energies)) & (steps < MOST_STEPS)

    def once(carry: tuple[Conjugate, jax.Array, jax.Array]) -> tuple[Conjugate, jax.Array, jax.Array]:
        state, _, steps = carry
        new = conjugate.step(network, x, y, state)
        return new, jnp.mean(state.place.energies - new.place.energies), steps + 1

    start = conjugate.begin(network, x, y)
    infinite = jnp.asarray(jnp.inf, start.place.energies.dtype)
    return jax.lax.while_loop(unsettled, once, (start, infinite, jnp.zeros((), jnp.int32)))[0]


def equilibrated_energy(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """F*: the least energy of the batch, () float64; closed form for linear networks, else `settled`."""
    if network.has_closed_form:
        return linear.least_energy(network, x, y)
    return jnp.mean(settled(network, x, y).place.energies)


def descent(kind: Kind, network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Steepest descent of a surface: minus its gradient as a flat vector (P,); of F* by the envelope theorem, from the
    local errors at equilibrium (theory.md 4.2)."""
    if kind == "loss":
        gradients = jax.grad(lambda stacks: loss_of(replaced(network, stacks), x, y))(stacked_weights(network))
    else:
        place = settled(network, x, y).place
        errors = (*place.errors, output_error(network.loss, place.output, y)[None])
        gradients = weight_gradient(network, x, place.activities, errors)
    return -jnp.concatenate([g.ravel() for g in gradients])


SURFACES: dict[Kind, Callable[[Network, jax.Array, jax.Array], jax.Array]] = {
    "loss": loss_of,
    "energy": equilibrated_energy,
}
"""Value of each surface at a network."""


def heights(
    kind: Kind,
    network: Network,
    center: jax.Array,
    directions: jax.Array,
    at: jax.Array,
    x: jax.Array,
    y: jax.Array,
) -> jax.Array:
    """A surface at the points `at` (M, 2) of a plane: center (P,), directions (2, P) -> (M,) float64."""

    def height(coordinates: jax.Array) -> jax.Array:
        return SURFACES[kind](moved(network, center + coordinates @ directions), x, y)

    return jax.lax.map(height, at)


def moved(network: Network, flat: jax.Array) -> Network:
    """The same network with the weights `flat` (P,)."""
    stacks, first = [], 0
    for stack in stacked_weights(network):
        stacks.append(flat[first : first + stack.size].reshape(stack.shape))
        first += stack.size
    return replaced(network, tuple(stacks))


plane_heights = jax.jit(heights, static_argnames=("kind",))
flat_descent = jax.jit(descent, static_argnames=("kind",))
