"""The front window (spec: performance.md section 2; DESIGN.md section 3).

From a feedforward start every hidden error is zero and the output error moves back one layer per step, so that at step
t only the top t + 1 hidden layers can move. The upper part of a network, with the activity below it clamped, is itself
a network: relaxing it gives the same activities for less work.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pcviz.pcn.network import Activities, Network

FIRST_WINDOW = 16
GROWTH = 2


class Phase(NamedTuple):
    """Steps first … last - 1 move at most `layers` hidden layers."""

    layers: int
    first: int
    last: int


def phases(hidden: int, windowed: bool) -> list[Phase]:
    """Growing windows over the hidden layers; a few, since each is compiled on its own."""
    found, first, layers = [], 0, FIRST_WINDOW
    while windowed and layers < hidden - 1:
        found.append(Phase(layers, first, layers))
        first, layers = layers, layers * GROWTH
    return [*found, Phase(hidden, first, 2**31 - 1)]


def taken(stacks: Activities, layers: int) -> tuple[int, ...]:
    """How many layers of each hidden stage belong to the top `layers`."""
    counts, left = [], layers
    for stack in reversed(stacks):
        counts.append(min(left, stack.shape[0]))
        left -= counts[-1]
    return tuple(reversed(counts))


def top(stacks: Activities, counts: tuple[int, ...]) -> Activities:
    """The top `counts` layers of each stage; stages without any are left out."""
    return tuple(s[s.shape[0] - n :] for s, n in zip(stacks, counts, strict=True) if n)


def put_back(stacks: Activities, upper: Activities, counts: tuple[int, ...]) -> Activities:
    """Inverse of `top`: the stacks with their top layers replaced."""
    parts = iter(upper)
    return tuple(
        s if not n else u if n == s.shape[0] else jnp.concatenate([s[: s.shape[0] - n], u])
        for s, n in zip(stacks, counts, strict=True)
        for u in ([next(parts)] if n else [s])
    )


def top_network(network: Network, counts: tuple[int, ...]) -> Network:
    """The network above the window's lower edge; its input is the activity just below."""
    hidden = list(network.stages)[:-1]
    stages = [jax.tree.map(lambda p, n=n: p[p.shape[0] - n :], s) for s, n in zip(hidden, counts, strict=True) if n]
    return Network([*stages, network.stages[-1]], network.output_precision[...], network.loss)


def input_below(x: jax.Array, stacks: Activities, counts: tuple[int, ...]) -> jax.Array:
    """The clamped activity (B, N) just below the window: x itself where the window holds every layer."""
    below = x
    for stack, count in zip(stacks, counts, strict=True):
        if count == stack.shape[0]:
            return below
        if count:
            return stack[stack.shape[0] - count - 1]
        below = stack[-1]
    return below


def map_stacks(tree: Any, like: Activities, function: Any, *others: Any) -> Any:
    """Apply `function` to every group of stacks shaped as `like` inside a solver's state (its moments)."""
    kind = jax.tree.structure(like)

    def is_group(node: Any) -> bool:
        return isinstance(node, tuple) and jax.tree.structure(node) == kind and len(node) == len(like)

    def apply(node: Any, *rest: Any) -> Any:
        return function(node, *rest) if is_group(node) else node

    return jax.tree.map(apply, tree, *others, is_leaf=is_group)
