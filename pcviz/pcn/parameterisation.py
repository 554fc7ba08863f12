"""Parameterisations: premultipliers a_l and initial weights (theory.md 2.1)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from pcviz.experiment import Network as NetworkOptions


def premultipliers(options: NetworkOptions, input_dim: int) -> list[float]:
    """a_1 … a_L. With skips the hidden premultiplier of ntp and mupc carries the depth: (N L)^-1/2."""
    shape = input_dim, options.width, options.depth
    return options.scaling.premultipliers(*shape, skips=options.skips, gamma=options.gamma)


Initialiser = Callable[[jax.Array, tuple[int, int]], jax.Array]


def _uniform(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    bound = shape[1] ** -0.5
    return jax.random.uniform(key, shape, jnp.float64, -bound, bound)


def _lecun_normal(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    return jax.random.normal(key, shape, jnp.float64) * shape[1] ** -0.5


def _orthogonal(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    return jax.random.orthogonal(key, max(shape), dtype=jnp.float64)[: shape[0], : shape[1]]


def _normal(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
    return jax.random.normal(key, shape, jnp.float64)


INITIALISERS: dict[str, Initialiser] = {
    "uniform": _uniform,
    "lecun_normal": _lecun_normal,
    "orthogonal": _orthogonal,
    "normal": _normal,
}
"""Each draws one weight matrix (N_l, N_{l-1}) in float64, so that both dtypes start from the same numbers."""

_VARIANCES: dict[str, Callable[[tuple[int, int]], float]] = {
    "uniform": lambda shape: 1 / (3 * shape[1]),
    "lecun_normal": lambda shape: 1 / shape[1],
    "orthogonal": lambda shape: 1 / max(shape),
    "normal": lambda shape: 1.0,
}


def variance(initialisation: str, shape: tuple[int, int]) -> float:
    """The variance of an entry of an initial weight matrix (N_l, N_{l-1})."""
    return _VARIANCES[initialisation](shape)


def initial_weights(initialisation: str, seed: int | jax.Array, layers: range, shape: tuple[int, int]) -> jax.Array:
    """Weights of `layers` (numbers from 1), each of `shape` (N_l, N_{l-1}), stacked: (len(layers), N_l, N_{l-1}).

    Layer l depends on the seed and l alone.
    """
    keys = jax.vmap(lambda layer: jax.random.fold_in(jax.random.key(seed), layer))(jnp.asarray(layers))
    return jax.vmap(lambda key: INITIALISERS[initialisation](key, shape))(keys)
