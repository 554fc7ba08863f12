"""The two surfaces over weight space: the loss, on which backpropagation descends, and the equilibrated energy F*, on
which predictive coding does (theory.md 4.2, 4.7)."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.device_kind import mapped
from pcviz.pcn import linear
from pcviz.pcn.batch import as_batch
from pcviz.pcn.coordinates import Place
from pcviz.pcn.energy import output_error, output_loss
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.network import Network, replaced, stacked_weights, weight_count, with_flat_weights
from pcviz.pcn.solvers import conjugate_gradient as conjugate
from pcviz.pcn.solvers.conjugate_gradient import Conjugate
from pcviz.pcn.stacks import dot

Kind = Literal["loss", "energy"]

SETTLED = 1e-6
"""Inference has settled when half the squared gradient is this share of the energy. In error coordinates, where every
direction that inference cannot use has curvature 1 and linear networks have none below it (theory.md 3.6), that is how
far above the minimum the energy may still be."""
MOST_STEPS = 1000


@short
class Settled(NamedTuple):
    """An equilibrium: `place` of every example, and the `tolerance` reached, () float64: half the squared gradient as a
    share of the energy, means over the batch. It is above SETTLED where no step lowers the energy further (a kink of
    the activation, rounding), or MOST_STEPS were not enough."""

    place: Place
    tolerance: jax.Array


def loss_of(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean feedforward loss on x (B, D), y (B, K), () float64."""
    x, y = as_batch(network, x, y)
    return output_loss(network.loss, forward(network, x)[1], y)


def settled(network: Network, x: jax.Array, y: jax.Array) -> Settled:
    """The equilibrium of every example from the feedforward point, by conjugate gradients in error coordinates: of the
    solvers without a step size to choose the fastest that converges for every network (`make bench-equilibrium`)."""

    def unsettled(carry: tuple[Conjugate, jax.Array, jax.Array]) -> jax.Array:
        state, tolerance, steps = carry
        return (steps == 0) | ((tolerance > SETTLED) & jnp.any(state.moved) & (steps < MOST_STEPS))

    def once(carry: tuple[Conjugate, jax.Array, jax.Array]) -> tuple[Conjugate, jax.Array, jax.Array]:
        state, _, steps = carry
        new = conjugate.step(network, x, y, state)
        squared, energy = jnp.mean(dot(new.gradient, new.gradient)), jnp.mean(state.place.energies)
        share = jnp.where(squared > 0, squared / (2 * energy), 0).astype(jnp.float64)  # of the place before the step
        return new, share, steps + 1

    start = (conjugate.begin(network, x, y), jnp.asarray(jnp.inf, jnp.float64), jnp.zeros((), jnp.int32))
    state, tolerance, _ = jax.lax.while_loop(unsettled, once, start)
    return Settled(state.place, tolerance)


def equilibrated(network: Network, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """F*, the least energy of the batch, and the tolerance reached, () float64: closed form where there is one (and
    tolerance 0), else `settled`."""
    x, y = as_batch(network, x, y)
    if network.has_closed_form:
        return linear.least_energy(network, x, y), jnp.zeros((), jnp.float64)
    place, tolerance = settled(network, x, y)
    return jnp.mean(place.energies).astype(jnp.float64), tolerance


def equilibrated_energy(network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """F* alone."""
    return equilibrated(network, x, y)[0]


def descent(kind: Kind, network: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Steepest descent of a surface: minus its gradient as a flat vector (P,); of F* by the envelope theorem, from the
    local errors at equilibrium (theory.md 4.2)."""
    if kind == "loss":
        gradients = jax.grad(lambda stacks: loss_of(replaced(network, stacks), x, y))(stacked_weights(network))
    else:
        place = settled(network, x, y).place
        errors = (*place.errors, output_error(network.loss, place.output, y)[None])
        gradients = weight_gradient(network, x, place.activities, errors)
    return -jnp.concatenate([g.ravel() for g in jax.tree.leaves(gradients)])


def heights(
    kind: Kind,
    network: Network,
    center: jax.Array,
    directions: jax.Array,
    at: jax.Array,
    x: jax.Array,
    y: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """A surface at the points `at` (M, 2) of a plane: center (P,), directions (2, P) -> heights and the tolerance of
    each, (M,) float64 both."""

    def height(coordinates: jax.Array) -> tuple[jax.Array, jax.Array]:
        there = with_flat_weights(network, center + coordinates @ directions)
        return equilibrated(there, x, y) if kind == "energy" else (loss_of(there, x, y), jnp.zeros((), jnp.float64))

    return mapped(height, at, weight_count(network))


# Not as a `Program`: a surface runs far longer than it compiles, and with its options 1.13 times as long.
plane_heights = jax.jit(heights, static_argnames=("kind",))
flat_descent = jax.jit(descent, static_argnames=("kind",))
