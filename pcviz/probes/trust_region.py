"""Predictive coding as a trust-region step: its weight step against the gradient and against the Gauss-Newton step.

Around the feedforward point the energy is F = loss + g dz + 1/2 dz H dz, whose minimum is the Newton step
dz = -H^{-1} g in the activities (theory.md 4.8; exact for linear networks). The weight step there lies between
the gradient of the loss and a step that uses curvature. Steps are compared as they stand, without a learning rate.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics import krylov
from pcviz.numerics.blocktridiagonal import factorised, solved
from pcviz.numerics.compiling import Program
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Network, as_float64
from pcviz.probes import curvature
from pcviz.probes.alignment import Comparison, compare
from pcviz.probes.hessian import as_batch, hessian_blocks
from pcviz.probes.minimum import Array, Minimum, activity_slope

DAMPING = 1e-2
"""Damping of the Gauss-Newton step as a share of the largest eigenvalue of its matrix."""


@short
class Steps(NamedTuple):
    """Weight steps, each [(N_l, N_{l-1})] downhill: of predictive coding at equilibrium, of gradient descent on the
    loss, of Gauss-Newton, (G + damping I)^{-1} gradient, solved to the relative `residual`."""

    pc: list[np.ndarray]
    gradient: list[np.ndarray]
    newton: list[np.ndarray]
    damping: float
    residual: float


@short
class Angles(NamedTuple):
    """PC's step against the gradient's and against Gauss-Newton's, and Gauss-Newton's against the gradient's: cosines
    and ratios of lengths for each layer and in total (`pcviz.probes.alignment.Comparison`)."""

    to_gradient: Comparison
    to_newton: Comparison
    newton_to_gradient: Comparison


class ActivityStep(NamedTuple):
    """Inference z* - z of a batch as one vector against the steepest descent -g and the Newton step -H^{-1} g at the
    feedforward point: cosines, and its length over the Newton step's. H is the Gauss-Newton Hessian, the Fisher
    information of the generative model (theory.md 4.8), which is positive definite everywhere."""

    gradient_cosine: float
    newton_cosine: float
    newton_ratio: float


def steps(network: Network, x: Array, y: Array, pc: np.ndarray) -> krylov.Work[Steps]:
    """The three steps for x (B, D), y (B, K); `pc` is the gradient of F* (P,). A generator that pauses on the way."""
    gradient = curvature.loss(network, x, y).gradient
    yield
    product = curvature.gauss_newton(network, x, y)
    ends = yield from krylov.ends(product, gradient.size, tolerance=1e-3)
    damping = DAMPING * float(ends.values[1]) or 1.0
    found = yield from krylov.solution(lambda v: product(v) + damping * v, gradient)
    by_pc, by_gradient, by_newton = (curvature.by_layer(network, -step) for step in (pc, gradient, found.solution))
    return Steps(by_pc, by_gradient, by_newton, damping, found.residual)


def angles(found: Steps) -> Angles:
    """Angles and ratios of lengths between the steps."""
    return Angles(
        compare(found.pc, found.gradient), compare(found.pc, found.newton), compare(found.newton, found.gradient)
    )


def activity_step(network: Network, x: Array, y: Array, minimum: Minimum) -> ActivityStep:
    """How close inference comes to a Newton step."""
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    start, _ = _forward(network, x)
    slope = activity_slope(network, x, y, start)
    taken = jnp.moveaxis(jnp.concatenate(minimum.activities) - jnp.concatenate(start), 0, 1)
    layers = [layer for stack in start for layer in np.asarray(stack)]
    factors = factorised(hessian_blocks(network, x, y, layers, gauss_newton=True))
    if factors is None:  # its entries are not finite
        return ActivityStep(*[float("nan")] * 3)
    newton = -solved(factors, slope)
    ratio = float(jnp.linalg.norm(taken) / jnp.linalg.norm(newton))
    return ActivityStep(_cosine(taken, -slope), _cosine(taken, newton), ratio)


_forward = Program(forward)


def _cosine(a: jax.Array, b: jax.Array) -> float:
    return float(jnp.vdot(a, b) / (jnp.linalg.norm(a) * jnp.linalg.norm(b)))
