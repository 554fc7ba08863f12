"""Nonlinear conjugate gradients in error coordinates, each example on its own.

The Hessian in error coordinates is the identity and K other eigenvalues (theory.md 3.6), so that conjugate gradients
need about K steps for a linear network whatever the size of S, where plain descent on errors must shrink its step as
1/lambda_max(S). The step along each direction minimises the Gauss-Newton model (one derivative pass, no step size to
choose) and is quartered until the energy decreases: an example's energy never increases.

Where the activation has a kink at zero, an example that stalls continues within orthants, as OWL-QN does for the 1-norm
(Andrew and Gao 2007): a unit that would cross the kink stops on it, and leaves it when a one-sided derivative says so.
It ends at points from which no single unit can descend; plain gradients only oscillate around them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import Program
from pcviz.pcn.coordinates import Place, gradient_at, is_kinked, line_step, move, start_at
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers.base import Solver, repeating, settled_at
from pcviz.pcn.stacks import Activities, choose, dot, minus, plus, scaled

TRIES = 8
"""Most step lengths tried along one direction; the last is 4⁻⁷ of the first."""

STALLED = 0.01
"""An example stalls where a step lowers its energy by at most this share of the whole decrease so far."""


@short
class Conjugate(NamedTuple):
    """A descent under way: its `place`, the last `gradient`, the last `direction`; of each example (B,) whether its
    last step found a decrease (`moved`), its energy at the start (`first`) and whether it stops at kinks (`careful`);
    gradient evaluations so far (`passes`; a pass upwards alone is a half)."""

    place: Place
    gradient: Activities
    direction: Activities
    moved: jax.Array
    first: jax.Array
    careful: jax.Array
    passes: jax.Array


def begin(network: Network, x: jax.Array, y: jax.Array) -> Conjugate:
    """At the feedforward point: all errors zero."""
    zeros = jax.tree.map(jnp.zeros_like, forward(network, x)[0])
    place = start_at(network, x, y, zeros)
    return Conjugate(place, zeros, zeros, *_no_example(place), jnp.zeros(()))


def _no_example(place: Place) -> tuple[jax.Array, jax.Array, jax.Array]:
    nowhere = jnp.zeros(place.energies.shape, bool)
    return nowhere, place.energies, nowhere


def restarted(state: Conjugate, place: Place, moved: jax.Array, cost: jax.Array) -> Conjugate:
    """The descent at another place, without memory of its directions."""
    zeros = jax.tree.map(jnp.zeros_like, place.errors)
    return Conjugate(place, zeros, zeros, moved, state.first, state.careful, state.passes + cost)


def step(network: Network, x: jax.Array, y: jax.Array, state: Conjugate) -> Conjugate:
    """One step of every example: Polak-Ribière directions, restarted where a step failed or would go uphill."""
    place, gradient, cost = _gradient(network, x, y, state)
    squared, before = dot(gradient, gradient), dot(state.gradient, state.gradient)
    beta = (squared - dot(gradient, state.gradient)) / jnp.where(before > 0, before, 1)
    beta = jnp.where(state.moved & (before > 0), jnp.maximum(beta, 0), 0)
    direction = _free(plus(minus(gradient), scaled(state.direction, beta)), place.pins)
    slope = dot(gradient, direction)
    uphill = slope >= 0
    direction = choose(uphill, minus(gradient), direction)
    slope = jnp.where(uphill, -squared, slope)
    length = line_step(network, x, y, place, direction, slope)
    # An example whose model predicts a decrease below rounding has converged.
    worth = -0.5 * slope * length > 2 * jnp.finfo(x.dtype).eps * place.energies
    length = jnp.where(worth, length, 0)
    reached, taken, passes = move(network, x, y, place, direction, length, TRIES, state.careful)
    gained, total = place.energies - reached.energies, state.first - reached.energies
    careful = state.careful | (gained <= STALLED * total)
    return Conjugate(
        reached, gradient, direction, taken != 0, state.first, careful, state.passes + cost + 1 + 0.5 * passes
    )


def _free(direction: Activities, pins: Activities | None) -> Activities:
    if pins is None:
        return direction
    return tuple(jnp.where(pin, 0, d) for d, pin in zip(direction, pins, strict=True))


def _gradient(network: Network, x: jax.Array, y: jax.Array, state: Conjugate) -> tuple[Place, Activities, jax.Array]:
    """The place with those units released that descend off the kink, its gradient, and gradient evaluations used."""

    def plain(place: Place) -> tuple[Place, Activities, jax.Array]:
        held = None if place.pins is None else jax.tree.map(jnp.zeros_like, place.errors)
        return place, gradient_at(network, x, y, place, held)[0], jnp.ones(())

    if not is_kinked(network) or state.place.pins is None:
        return plain(state.place)
    return jax.lax.cond(jnp.any(state.careful), lambda place: _one_sided(network, x, y, place), plain, state.place)


def _one_sided(network: Network, x: jax.Array, y: jax.Array, place: Place) -> tuple[Place, Activities, jax.Array]:
    assert place.pins is not None
    # Just beside the kink, but far enough for z = mu + e to have the right sign.
    beside = tuple(8 * jnp.finfo(e.dtype).eps * (1 + jnp.abs(e)) for e in place.errors)
    free, left = gradient_at(network, x, y, place, minus(beside))
    _, right = gradient_at(network, x, y, place, beside)
    assert left is not None and right is not None
    gradient, errors, activities, pins = [], [], [], []
    parts = zip(free, left, right, beside, place.errors, place.activities, place.pins, strict=True)
    for g, down, up, gap, error, z, pin in parts:
        rightwards = pin & (up < 0) & (-up >= down)
        leftwards = pin & (down > 0) & ~rightwards
        shift = jnp.where(rightwards, gap, jnp.where(leftwards, -gap, 0))
        gradient.append(jnp.where(rightwards, up, jnp.where(leftwards, down, jnp.where(pin, 0, g))))
        errors.append(error + shift)
        activities.append(z + shift)
        pins.append(pin & ~rightwards & ~leftwards)
    released = place._replace(errors=tuple(errors), activities=tuple(activities), pins=tuple(pins))
    return released, tuple(gradient), 2 * jnp.ones(())


def settle(network: Network, y: jax.Array, descent: Conjugate) -> Settled:
    """The state of a descent."""
    return settled_at(network, y, descent.place.activities, descent.place.errors)


def cost(descent: Conjugate, step: int) -> tuple[float, float]:
    """Gradient evaluations so far, and the share of examples whose last step was accepted."""
    return float(descent.passes), float(jnp.mean(descent.moved)) if step else 1.0


SOLVER = Solver(
    Program(lambda network, x, y, by: begin(network, x, y)),
    repeating(step),
    lambda network, x, y, state, step: settle(network, y, state),
    cost,
)
