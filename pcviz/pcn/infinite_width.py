"""Networks at the start of a training where layers are infinitely wide, for any activation (theory.md 4.3, 4.5).

The units of a layer are then independent normal variables, whose mean square q_l follows from that of the layer below,
example by example. How the output changes with a layer follows, from the output down, from the mean squares of slopes.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Network as NetworkOptions
from pcviz.numerics.compiling import compiled
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.parameterisation import premultipliers, variance

NODES, SHARES = np.polynomial.legendre.leggauss(10)
"""Gauss-Legendre rule of each interval of an integral."""
BEND = np.linspace(-8, 8, 33)
"""Ends of intervals where activations bend: all kinks, 0 and ±1, are among them."""
BULK = np.linspace(-9, 9, 37)
"""Further ends, in standard deviations: beyond, a normal variable has nothing that float64 could hold."""


@short
class Wide(NamedTuple):
    """Expected mean squares of the activities of hidden layers, (H, B), and tr S / K, (B,), of B examples."""

    squares: np.ndarray
    rescaling: np.ndarray


def expected(options: NetworkOptions, x: np.ndarray, outputs: int) -> Wide:
    """Of a fresh fully connected network with lambda = 1, for inputs x (B, D) and K outputs."""
    width, hidden = options.width, options.depth - 1
    scales = premultipliers(options, x.shape[1])
    shapes = [(width, x.shape[1]), *[(width, width)] * (hidden - 1), (outputs, width)]
    gains = [
        scale**2 * shape[1] * variance(options.initialisation, shape)
        for scale, shape in zip(scales, shapes, strict=True)
    ]
    squares, slopes = [gains[0] * np.mean(np.square(x), axis=1)], []
    for gain in gains[1:]:
        square, slope = moments(options.activation, squares[-1])
        squares.append(options.skips * squares[-1] + gain * square)
        slopes.append(gain * slope)
    row = slopes[-1]  # expected |g|² of a row g of G_H
    total = 1 + row
    for slope in reversed(slopes[:-1]):
        row = row * (options.skips + slope)
        total = total + row
    return Wide(np.array(squares[:hidden]), total)


def moments(activation: str, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares of phi(z) and of its slope phi'(z) for normal z of variance q (B,): (B,) both. Without variance z is
    0."""
    if activation == "linear":
        return q, np.ones_like(q)
    square, slope = _moments(jnp.asarray(q, jnp.float64), activation=activation)
    return np.asarray(square), np.asarray(slope)


@compiled("activation")
def _moments(q: jax.Array, activation: str) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(lambda one: _integrated(ACTIVATIONS[activation], one))(q)


def _integrated(phi: Callable[[jax.Array], jax.Array], q: jax.Array) -> tuple[jax.Array, jax.Array]:
    deviation = jnp.sqrt(jnp.where(q > 0, q, 1))
    bend = jnp.clip(jnp.asarray(BEND), BULK[0] * deviation, BULK[-1] * deviation)
    ends = jnp.sort(jnp.concatenate([bend, BULK * deviation]))
    middle, half = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    z = middle[:, None] + half[:, None] * NODES[None]
    value, slope = jax.jvp(phi, (z,), (jnp.ones_like(z),))
    weight = SHARES[None] * half[:, None] * jnp.exp(-((z / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    at_zero = jax.jvp(phi, (jnp.zeros_like(q),), (jnp.ones_like(q),))
    square, slope = (
        jnp.where(q > 0, jnp.sum(weight * part**2), zero**2) for part, zero in zip((value, slope), at_zero, strict=True)
    )
    return square, slope
