"""PC-ALM: predictive coding with Lagrange multipliers (Seely & Gould, arXiv 2605.31022; theory.md 4.10).

Multipliers u_l turn the hidden energies into constraints e_l = 0. One step: u_l <- u_l + alpha rho e_l, then a gradient
step on the activities of sum_l (rho/2 |e_l|² + u_l · e_l) + E_L. At its fixed point hidden errors vanish, the
activities are feedforward and the signals u_l + rho e_l are backpropagation's: gradients equal backprop's for any
width and depth. Stable for step_size < 4 / ((2 + alpha) rho s) where s is the largest eigenvalue of the constraints'
normal matrix: 4 to 5 under muPC with skips, more under standard parameters. The energy is no less curved in the
activities, so that a step of 1 / curvature is stable at alpha = rho = 1 where the constraints are linear, and was for
the networks under muPC that were tried. Under other parameters the multipliers of nonlinear networks are large, and
their errors hover instead of vanishing, however small the step; rho above 4 keeps them lower.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.pcn.curvature import largest_curvature
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.inference import errors_after
from pcviz.pcn.messages import output_signal, received
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers.base import Integer, Settings, Solver, behind_front, every_step, settled_at
from pcviz.pcn.stacks import Activities


@short
class Augmented(NamedTuple):
    """A relaxation under way: `activities`, `multipliers`, the feedforward `start`, and the traced `step_size`, `alpha`
    and `rho`."""

    activities: Activities
    multipliers: Activities
    start: Activities
    step_size: jax.Array
    alpha: jax.Array
    rho: jax.Array


@compiled()
def _begin(network: Network, x: jax.Array, y: jax.Array, settings: Settings) -> Augmented:
    """At the feedforward point, all multipliers zero; unless given, `step_size` is three quarters of the stable one, by
    the curvature measured there."""
    step_size, alpha, rho = settings.step_size, settings.alpha, settings.rho
    start, _ = forward(network, x)
    if step_size is None:
        step_size = jnp.minimum(1, 3 / ((2 + alpha) * rho)) / jnp.max(largest_curvature(network, x, y, start))
    rates = (jnp.asarray(value, x.dtype) for value in (step_size, alpha, rho))
    return Augmented(start, jax.tree.map(jnp.zeros_like, start), start, *rates)


def _step(
    network: Network, x: jax.Array, y: jax.Array, state: Augmented, correction: Activities, front: Activities
) -> Augmented:
    """Multipliers first, then activities; one gradient evaluation."""
    z = state.activities
    errors = errors_of(network, x, z, correction, front)
    # The dual step of the previous step: its errors are those computed here.
    multipliers = tuple(u + state.alpha * state.rho * e for u, e in zip(state.multipliers, errors, strict=True))
    signals = tuple(u + state.rho * e for u, e in zip(multipliers, errors, strict=True))
    messages = received(network, x, z, (*signals, output_signal(network, z, y)[1]))
    z = tuple(a - state.step_size * (d - m) for a, d, m in zip(z, signals, messages, strict=True))
    return state._replace(activities=z, multipliers=multipliers)


def _settle(network: Network, x: jax.Array, y: jax.Array, state: Augmented, step: Integer) -> Settled:
    errors, signals = _sent(network, x, state, step)
    return settled_at(network, y, state.activities, errors, signals=signals)


@compiled()
def _sent(network: Network, x: jax.Array, state: Augmented, step: Integer) -> tuple[Activities, Activities]:
    """Hidden errors, and the signals u_l + rho e_l that are sent down and that the weight gradient is made of."""
    errors = errors_after(network, x, state.activities, state.start, step)
    return errors, tuple(u + state.rho * e for u, e in zip(state.multipliers, errors, strict=True))


SOLVER = Solver(_begin, behind_front(_step), _settle, every_step)
