"""Precision schedules w_l(t): how much the error of a layer counts in the relaxation at step t (theory.md 5.4).

From a feedforward start the error of the output arrives at layer l at t = L - l; with j = t - (L - l) steps since then,
and n = T - (L - l) steps from then to the end, a schedule is a function of j and n.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short


@short
class Precisions(NamedTuple):
    """Traced numbers of the schedules: alpha outside a spike, rate of decay k, number of steps T."""

    alpha: jax.Array | float
    decay: jax.Array | float
    steps: jax.Array | float


Schedule = Callable[[jax.Array, jax.Array, Precisions], jax.Array]


def _spiking(since: jax.Array, _left: jax.Array, numbers: Precisions) -> jax.Array:
    return jnp.where(since == 0, 1, numbers.alpha)


def _total(left: jax.Array, decay: jax.Array | float) -> jax.Array:
    """S_n = sum of exp(-k m) over m < n, for n >= 1."""
    return jnp.expm1(-decay * jnp.maximum(left, 1)) / jnp.expm1(-decay)


def _decaying(since: jax.Array, left: jax.Array, numbers: Precisions) -> jax.Array:
    after = jnp.exp(-numbers.decay * since) * _total(left, numbers.decay) / 100
    return jnp.where(since < 0, 0, jnp.where(since == 0, 1, after))


def _decaying_normalised(since: jax.Array, left: jax.Array, numbers: Precisions) -> jax.Array:
    return jnp.where(since < 0, 0, jnp.exp(-numbers.decay * since) / _total(left, numbers.decay))


def _arrival(since: jax.Array, _left: jax.Array, _numbers: Precisions) -> jax.Array:
    return jnp.where(since == 0, 1, 0)


SCHEDULES: dict[str, Schedule] = {
    "spiking": _spiking,
    "decaying": _decaying,
    "decaying_normalised": _decaying_normalised,
    "arrival": _arrival,
}
"""By the names of `pcviz.experiment.precisions`, except for the constant schedule, which needs no computation; the last
one is that of a rule (Z-IL)."""


def precisions(schedule: str, layers: jax.Array | int, depth: int, t: jax.Array, numbers: Precisions) -> jax.Array:
    """w_l(t) of these `layers` l, numbered 1 … L, at step t: (layers,) in the number format of `numbers`."""
    arrival = depth - jnp.asarray(layers)
    since, left = t - arrival, numbers.steps - arrival
    dtype = jnp.result_type(numbers.alpha)
    return SCHEDULES[schedule](since.astype(dtype), left.astype(dtype), numbers).astype(dtype)
