"""How well predictive coding's weight gradients align with backpropagation's, layer by layer, during a relaxation.

A cosine of the whole network is dominated by its output layers: cosines and norm ratios are given for each layer, for
each quartile of depth (input side first) and in total.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from pcviz.brief import short
from pcviz.pcn.feedforward import backprop
from pcviz.pcn.gradients import stacked_gradients
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import unstack, vector

QUARTILES = 4

Gradients = Sequence[Any]
"""Of layers 1 … L: arrays, or trees of arrays."""


@short
class Comparison(NamedTuple):
    """Cosine and norm ratio |g| / |g_reference| of weight gradients g against a reference, float64.

    `cosine` and `norm_ratio` (L,), `quartile_cosine` and `quartile_norm_ratio` (4,), `total_cosine` and
    `total_norm_ratio` (). The cosine is NaN where either gradient is exactly zero, the ratio (0 for a gradient of
    zero) where the reference is, both where a quartile holds no layer.
    """

    cosine: np.ndarray
    norm_ratio: np.ndarray
    quartile_cosine: np.ndarray
    quartile_norm_ratio: np.ndarray
    total_cosine: np.ndarray
    total_norm_ratio: np.ndarray


def quartiles(depth: int) -> list[np.ndarray]:
    """Indices (from 0) of the layers in each quarter of the depth, input side first."""
    return np.array_split(np.arange(depth), QUARTILES)


@np.errstate(invalid="ignore")
def compare(gradients: Gradients, reference: Gradients) -> Comparison:
    """Compare weight gradients [g_1 … g_L] with those of a reference, equal shapes.

    Tiny gradients are scaled before they are squared: only an exact zero counts as zero. Infinite ones compare to NaN.
    """
    return _comparison(np.array([_products(g, r) for g, r in zip(gradients, reference, strict=True)]))


def backprop_gradients(network: Network, x: jax.Array, y: jax.Array) -> list[Any]:
    """The gradients of lambda times the loss, [g_1 … g_L] in float64."""
    precision = float(network.output_precision[...])
    return jax.tree.map(lambda g: precision * np.asarray(g, np.float64), backprop(network, x, y).gradients)


def gradients_at(network: Network, x: jax.Array, state: Settled) -> list[Any]:
    """The weight gradients at a state of a relaxation, [g_1 … g_L] in float64."""
    stacks = stacked_gradients(network, x, state)
    return unstack(jax.tree.map(lambda stack: np.asarray(stack, np.float64), stacks))


def _products(gradient: Any, reference: Any) -> list[float]:
    """The largest entry of each; then the inner product and squared norms after division by these."""
    g, r = vector(gradient), vector(reference)
    largest_g, largest_r = np.abs(g).max(), np.abs(r).max()
    g, r = g / (largest_g or 1), r / (largest_r or 1)
    return [largest_g, largest_r, g @ r, g @ g, r @ r]


def _comparison(products: np.ndarray) -> Comparison:
    """The comparison from the rows of `_products` (L, 5)."""
    groups = [*(np.array([l]) for l in range(len(products))), *quartiles(len(products)), np.arange(len(products))]
    cosine, ratio = np.array([_of_group(products[layers]) for layers in groups]).T
    depth = len(products)
    parts = (slice(0, depth), slice(depth, depth + QUARTILES), depth + QUARTILES)
    return Comparison(*(values[part] for part in parts for values in (cosine, ratio)))


def _of_group(products: np.ndarray) -> tuple[float, float]:
    """Cosine and norm ratio of several layers together."""
    if not len(products):
        return np.nan, np.nan
    largest_g, largest_r, inner, square_g, square_r = products.T
    scale_g, scale_r = largest_g.max() or 1.0, largest_r.max() or 1.0
    share_g, share_r = largest_g / scale_g, largest_r / scale_r
    norm_g, norm_r = np.sqrt(np.sum(square_g * share_g**2)), np.sqrt(np.sum(square_r * share_r**2))
    if norm_r == 0:
        return np.nan, np.nan
    cosine = np.sum(inner * share_g * share_r) / (norm_g * norm_r) if norm_g else np.nan
    return float(cosine), float(scale_g / scale_r * norm_g / norm_r)
