"""Curvature in weight space: gradients and Hessians of the loss and of the energy at equilibrium, F*(W) = min F(W, z).

Weights are flat vectors (P,), stage after stage, float64 whatever the network's format; batch means. "Loss" is the
energy of the feedforward state, lambda times the loss, of which F* is what inference leaves.

Derivatives of the loss are automatic. Those of F* are exact too. The gradient is the local one at the equilibrium z*
(envelope theorem, theory.md 4.2), and its derivative along v follows from how z* moves with the weights:

    d²F* v = F_ww v + F_wz dz,   dz = -F_zz^{-1} F_zw v,

one block tridiagonal solve for each example with the factors of the activity Hessian (theory.md 4.1). For linear
networks with the squared error the equilibrium is known in closed form, and F* is differentiated directly.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics import krylov
from pcviz.numerics.blocktridiagonal import Blocks, solved
from pcviz.numerics.compiling import compiled
from pcviz.pcn import linear
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.architectures.mlp import skip_flags
from pcviz.pcn.coordinates import curvature_product, is_kinked
from pcviz.pcn.energy import layer_energies, output_error
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import errors_of
from pcviz.pcn.network import (
    Network,
    as_float64,
    flat_weights,
    premultipliers,
    stacked_weights,
    weight_count,
    with_flat_weights,
)
from pcviz.pcn.stacks import Activities, unstack
from pcviz.probes.hessian import as_batch
from pcviz.probes.minimum import Minimum, activity_slope, like
from pcviz.probes.surface import loss_of

Array = np.ndarray | jax.Array


@short
class Function(NamedTuple):
    """A function of the weights at one point: `value`, `gradient` (P,), and its Hessian as `product` with a vector (P,)
    and as `products` with several (M, P)."""

    value: float
    gradient: np.ndarray
    product: krylov.Product
    products: Callable[[np.ndarray], np.ndarray]


def by_layer(network: Network, flat: np.ndarray) -> list[Any]:
    """A vector (P,) as the weights of each layer: a matrix (N_l, N_{l-1}), or the tree of the architecture."""
    stacks = stacked_weights(with_flat_weights(network, jnp.asarray(flat)))
    return unstack(jax.tree.map(np.asarray, stacks))


# --- the loss


def _loss(network: Network, x: jax.Array, y: jax.Array, flat: jax.Array) -> jax.Array:
    return network.output_precision[...] * loss_of(with_flat_weights(network, flat), x, y)


def _least_energy(network: Network, x: jax.Array, y: jax.Array, flat: jax.Array) -> jax.Array:
    return linear.least_energy(with_flat_weights(network, flat), x, y)


@compiled("of")
def _slope(
    of: Callable[..., jax.Array], network: Network, x: jax.Array, y: jax.Array, flat: jax.Array
) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(partial(of, network, x, y))(flat)


@compiled("of")
def _curved(
    of: Callable[..., jax.Array], network: Network, x: jax.Array, y: jax.Array, flat: jax.Array, v: jax.Array
) -> jax.Array:
    """Hessian times v (P,), or times each row of v (M, P): forward over reverse."""

    def one(v: jax.Array) -> jax.Array:
        return jax.jvp(jax.grad(partial(of, network, x, y)), (flat,), (v,))[1]

    return one(v) if v.ndim == 1 else jax.vmap(one)(v)


def _direct(of: Callable[..., jax.Array], network: Network, x: Array, y: Array) -> Function:
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    flat = jnp.asarray(flat_weights(network))
    value, gradient = _slope(of, network, x, y, flat)

    def product(v: np.ndarray) -> np.ndarray:
        return np.asarray(_curved(of, network, x, y, flat, v))

    return Function(float(value), np.asarray(gradient), product, product)


def loss(network: Network, x: Array, y: Array) -> Function:
    """lambda times the feedforward loss on x (B, D), y (B, K)."""
    return _direct(_loss, network, x, y)


def gauss_newton(network: Network, x: Array, y: Array) -> krylov.Product:
    """The loss's Gauss-Newton matrix J^T lambda C J / B as products with vectors (P,): positive semi-definite; C is the
    curvature of each example's loss in its output."""
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    flat = jnp.asarray(flat_weights(network))
    return lambda v: np.asarray(_gauss_newton(network, x, y, flat, v))


@compiled()
def _gauss_newton(network: Network, x: jax.Array, y: jax.Array, flat: jax.Array, v: jax.Array) -> jax.Array:
    def output(flat: jax.Array) -> jax.Array:
        return forward(with_flat_weights(network, flat), x)[1]

    at, change = jax.jvp(output, (flat,), (v,))
    (back,) = jax.vjp(output, flat)[1](curvature_product(network, at, y, change) / x.shape[0])
    return jnp.asarray(back)


# --- the energy at equilibrium


def energy(network: Network, x: Array, y: Array, minimum: Minimum | None = None) -> Function:
    """F* on x (B, D), y (B, K); `minimum` holds the equilibrium of networks without a closed form
    (`pcviz.probes.minimum.descend`). Raises ValueError where it is not a strict minimum."""
    if network.has_closed_form:
        return _direct(_least_energy, network, x, y)
    if minimum is None or minimum.factors is None:
        raise ValueError("F* has no Hessian where the energy has no strict minimum in the activities")
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    flat, at, factors = jnp.asarray(flat_weights(network)), minimum, minimum.factors
    value, gradient = _local_slope(network, x, y, flat, at.activities)

    def product(v: np.ndarray) -> np.ndarray:
        return np.asarray(_implicit(network, x, y, flat, at.activities, factors, at.free, v))

    def products(v: np.ndarray) -> np.ndarray:
        return np.stack([product(row) for row in v])

    return Function(float(value), np.asarray(gradient), product, products)


def energy_gradient(network: Network, x: Array, y: Array, activities: Activities) -> np.ndarray:
    """dF/dW at given activities, (P,): that of F* if they are its equilibrium."""
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    return np.asarray(_local_slope(network, x, y, jnp.asarray(flat_weights(network)), activities)[1])


def _local(network: Network, x: jax.Array, y: jax.Array, flat: jax.Array, z: Activities) -> jax.Array:
    there = with_flat_weights(network, flat)
    output = there.output(z)
    return jnp.sum(layer_energies(there, errors_of(there, x, z, None, None), output, y))


@compiled()
def _local_slope(
    network: Network, x: jax.Array, y: jax.Array, flat: jax.Array, z: Activities
) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(lambda w: _local(network, x, y, w, z))(flat)


@compiled()
def _implicit(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    flat: jax.Array,
    z: Activities,
    factors: Blocks,
    free: jax.Array,
    v: jax.Array,
) -> jax.Array:
    def pull(w: jax.Array) -> jax.Array:
        return activity_slope(with_flat_weights(network, w), x, y, z)

    mixed = jax.jvp(pull, (flat,), (v,))[1]
    dz = like(z, -solved(factors, jnp.where(free, mixed, 0)))
    slope = jax.grad(lambda w, z: _local(network, x, y, w, z))
    return jax.jvp(slope, (flat, z), (v, dz))[1]


# --- the origin


@short
class Origin(NamedTuple):
    """The Hessian at W = 0: eigenvalues (K + D,), each with `multiplicity` N (of the loss: in pairs +-); the other
    `zeros` eigenvalues are 0."""

    loss: np.ndarray
    energy: np.ndarray
    multiplicity: int
    zeros: int


def origin(network: Network, x: Array, y: Array) -> Origin | None:
    """All eigenvalues of the Hessians of loss and F* at the origin of weight space (theory.md 4.7); None for
    activations with a kink at zero, where there is no Hessian, and with biases, whose gradient does not vanish there.

    To second order the output is a path through W_1 and W_L alone, if any (H = 1, or skips), and inference adds the
    paths from each hidden layer to the output that pass W_L alone:

        F* = const - 1/2 c lambda² tr(W_L^T S_dd W_L) - lambda b tr(W_L W_1 S_xd),

    d the output error at zero output, S_dd = <d d^T>; c = a_L² g² (number of hidden layers that see the output through
    skips, else 1), g = phi'(0), b = a_1 a_L g with skips or one hidden layer, else 0. The loss has the second term
    alone: for H ≥ 2 without skips its Hessian vanishes.
    """
    if is_kinked(network) or network.has_biases:
        return None
    network, (x, y) = as_float64(network), as_batch(network, x, y)
    (width,) = network.stages[0].output_shape
    inputs, hidden = x.shape[1], network.depth - 1
    a, skips, precision = premultipliers(network), skip_flags(network), float(network.output_precision[...])
    g = float(jax.grad(ACTIVATIONS[network.stages[-1].activation])(0.0))
    d = np.asarray(output_error(network.loss, jnp.zeros_like(y), y))
    error, cross = d.T @ d / len(d), d.T @ np.asarray(x) / len(d)
    through = hidden == 1 or bool(skips[1:-1].all())
    seen = hidden if through else 1
    b = precision * a[0] * a[-1] * g if through else 0.0
    c = precision**2 * a[-1] ** 2 * g**2 * seen
    corner = np.zeros((inputs, inputs))
    off = -b * cross
    hessians = [np.block([[top, off], [off.T, corner]]) for top in (np.zeros_like(error), -c * error)]
    of_loss, of_energy = (np.linalg.eigvalsh(h) for h in hessians)
    zeros = weight_count(network) - width * len(of_loss)
    return Origin(of_loss, of_energy, width, zeros)
