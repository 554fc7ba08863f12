"""Vectors of activities of any shape: a stack (count, B, *shape) for each stage, input side first.

`flat` turns activities into vectors of N numbers where linear algebra needs them. Numbers per layer are (count,),
numbers per example (B,).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Activities = tuple[jax.Array, ...]
"""Activities (or errors) of stages: one array (count, B, *shape) for each."""


def unstack(stacks: tuple[Any, ...]) -> list[Any]:
    """One array for each layer; for stages that are trees of arrays, one tree for each layer."""
    layers: list[Any] = []
    for stack in stacks:
        leaves, tree = jax.tree.flatten(stack)
        layers += [jax.tree.unflatten(tree, parts) for parts in zip(*leaves, strict=True)]
    return layers


def vector(tree: Any) -> np.ndarray:
    """All numbers of an array or a tree of arrays, (P,) float64."""
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(tree)])


def stacked(layers: Sequence[Any], counts: Sequence[int], dtype: Any) -> tuple[Any, ...]:
    """Inverse of `unstack`, in another number format: stages of `counts` layers; traced layers stay traced."""
    edges = np.cumsum([0, *counts])
    # Outside a trace numpy stacks: jax would compile a program that grows with depth.
    traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(layers))

    def of(*leaves: Any) -> jax.Array:
        return jnp.asarray(jnp.stack(leaves) if traced else np.stack(leaves), dtype)

    return tuple(jax.tree.map(of, *layers[first:last]) for first, last in pairwise(edges))


def over_layers(layer: Callable[[Any, Any], tuple[Any, Any]], below: Any, rows: Any, *, reverse: bool = False) -> Any:
    """`jax.lax.scan` of a step over the layers of a stage, from `below` up, or top down if `reverse`. A single layer
    needs no loop, and its input may differ in shape from its output."""
    if len(jax.tree.leaves(rows)[0]) > 1:
        return jax.lax.scan(layer, below, rows, reverse=reverse)
    end, row = layer(below, jax.tree.map(lambda leaf: leaf[0], rows))
    return end, jax.tree.map(lambda leaf: leaf[None], row)


def flat(stack: jax.Array) -> jax.Array:
    """(count, B, *shape) as vectors (count, B, N)."""
    return stack.reshape(*stack.shape[:2], -1)


def of_layers(numbers: jax.Array, stack: jax.Array) -> jax.Array:
    """Numbers per layer (count,), shaped to broadcast against a stack (count, ...)."""
    return numbers.reshape(-1, *[1] * (stack.ndim - 1))


def of_examples(numbers: jax.Array, stack: jax.Array) -> jax.Array:
    """Numbers per example (B,), shaped to broadcast against a stack (count, B, ...)."""
    return numbers.reshape(1, -1, *[1] * (stack.ndim - 2))


def dot(left: Activities, right: Activities) -> jax.Array:
    """Inner product of each example, (B,)."""
    products = (jnp.sum(flat(a * b), (0, 2)) for a, b in zip(left, right, strict=True))
    return sum(products, start=jnp.zeros((), left[0].dtype))


def scaled(vector: Activities, factor: jax.Array) -> Activities:
    """Every example multiplied by its own factor (B,)."""
    return tuple(of_examples(factor, v) * v for v in vector)


def plus(left: Activities, right: Activities) -> Activities:
    """Sum of two vectors."""
    return tuple(a + b for a, b in zip(left, right, strict=True))


def minus(vector: Activities) -> Activities:
    """The opposite vector."""
    return tuple(-v for v in vector)


def choose(mask: jax.Array, left: Any, right: Any) -> Any:
    """Examples of `left` where the mask (B,) holds, of `right` elsewhere: stacks (count, B, ...), (B, K) or (B,)."""

    def of(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(of_examples(mask, a) if a.ndim > 2 else mask[:, None] if a.ndim == 2 else mask, a, b)

    return jax.tree.map(of, left, right)
