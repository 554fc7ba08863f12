"""Equilibria of any network by conjugate gradients in error coordinates (theory.md 3.6), and how far from one a place
still is.

Kinks: at a minimum some units of relu rest at zero, where the energy has one-sided derivatives only. What must vanish
is then the steepest descent, which is the gradient wherever there is one.
"""

import jax
import jax.numpy as jnp

from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network
from pcviz.pcn.gradients import activity_gradient
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, conjugate_gradient, solver_of
from pcviz.pcn.solvers.conjugate_gradient import Conjugate
from pcviz.pcn.stacks import Activities, dot, minus, plus

NEAR = 2e-7
"""A descent ends where no example has a larger gradient in the errors; energies round at 1e-8 to 1e-7."""
PIECE, MOST = 2, 1000
"""Steps between two pauses, and steps after which a descent is given up."""


def equilibrium(network: Network, x: jax.Array, y: jax.Array) -> Work[Conjugate]:
    """The energy minimum above the feedforward point for x (B, D), y (B, K)."""
    state: Conjugate = solver_of("conjugate_gradient").begin(network, x, y, Settings(None))
    for _ in range(0, MOST, PIECE):
        state, near = _nearer(network, x, y, state)
        if near:
            break
        yield
    return state


@compiled()
def _nearer(network: Network, x: jax.Array, y: jax.Array, state: Conjugate) -> tuple[Conjugate, jax.Array]:
    """At most PIECE steps further, and whether that is near enough."""

    def near(now: Conjugate) -> jax.Array:
        return jnp.max(dot(now.gradient, now.gradient)) < NEAR**2

    def go_on(carry: tuple[jax.Array, Conjugate]) -> jax.Array:
        made, now = carry
        return (made == 0) | ((made < PIECE) & ~near(now))

    def go(carry: tuple[jax.Array, Conjugate]) -> tuple[jax.Array, Conjugate]:
        return carry[0] + 1, conjugate_gradient.step(network, x, y, carry[1])

    _, state = jax.lax.while_loop(go_on, go, (jnp.zeros((), int), state))
    return state, near(state)


@compiled()
def settled(network: Network, x: jax.Array, y: jax.Array, state: Conjugate) -> tuple[Settled, jax.Array, jax.Array]:
    """The state of a descent; the norm of the steepest descent in the activities that is left, of the worst example;
    how many units per example rest on a kink."""
    z, pins = state.place.activities, state.place.pins
    if pins is None:
        left, resting = activity_gradient(network, x, y, z).gradient, jnp.zeros(())
    else:
        left = _steepest(network, x, y, z, pins)
        resting = sum((jnp.sum(pin) for pin in pins), start=jnp.zeros(())) / len(x)
    return conjugate_gradient.settle(network, y, state), jnp.sqrt(jnp.max(dot(left, left))), resting


def _steepest(network: Network, x: jax.Array, y: jax.Array, z: Activities, pins: Activities) -> Activities:
    """The gradient in free activities; at kinks the one-sided derivative that descends, or else zero."""
    beside = tuple(jnp.where(pin, 8 * jnp.finfo(own.dtype).eps, 0) for own, pin in zip(z, pins, strict=True))
    below, above = (activity_gradient(network, x, y, plus(z, gap)).gradient for gap in (minus(beside), beside))
    parts = zip(below, above, pins, strict=True)
    return tuple(jnp.where(pin, jnp.maximum(jnp.maximum(left, -right), 0), left) for left, right, pin in parts)
