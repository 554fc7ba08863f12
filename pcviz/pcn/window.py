"""Tiles: a few neighbouring layers at a time, from the output down (performance.md 2).

From a feedforward start every hidden error is zero and the output error moves back one layer per step, so that at step
t only the top t + 1 hidden layers can move. One compiled body works on one tile of a stage, in a loop whose length is
traced: it visits the tiles that the front has reached and no others. Compile time grows neither with depth nor with
the number of steps, and what a tile needs stays in the cache from its prediction to its update.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self, TypeVar

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.numerics import device_kind
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities

Carry = TypeVar("Carry")
Item = TypeVar("Item")
Taken = TypeVar("Taken")
Index = jax.Array | int


class Tiles(NamedTuple):
    """`repeats` tiles of `size` layers of hidden stage `stage`, the lowest beginning with its layer `first`; `below`
    and `above` hidden layers of the network lie on either side of them all."""

    stage: int
    first: int
    size: int
    repeats: int
    below: int
    above: int


@short
class Tile(NamedTuple):
    """One tile: `size` layers of hidden stage `stage` from its layer `first` on, which is hidden layer `below` of the
    network (counted from 0)."""

    stage: int
    first: Index
    size: int
    below: Index

    def cut(self, tree: Any) -> Any:
        """Its part of everything that is stacked like its stage, (size, ...); single numbers are shared by all."""
        return jax.tree.map(
            lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, self.first, self.size) if leaf.ndim else leaf, tree
        )

    def put(self, tree: Any, part: Any) -> Any:
        """Inverse of `cut`; what is shared stays as it is."""
        return jax.tree.map(
            lambda leaf, new: jax.lax.dynamic_update_slice_in_dim(leaf, new, self.first, 0) if leaf.ndim else leaf,
            tree,
            part,
        )

    def place(self, numbers: jax.Array, part: jax.Array) -> jax.Array:
        """The numbers of all hidden layers, (H,), with its own (size,) replaced."""
        return jax.lax.dynamic_update_slice_in_dim(numbers, part, self.below, 0)

    @property
    def shifted(self) -> Self:
        """The same layers, counted as in `columns`, where row 0 is the input."""
        return self._replace(first=self.first + 1)

    def numbers(self) -> jax.Array:
        """The numbers l of its layers, 1 … H, (size,)."""
        return self.below + 1 + jnp.arange(self.size, dtype=jnp.int32)


def replaced_at(items: tuple[Item, ...], index: int, item: Item) -> tuple[Item, ...]:
    """The tuple with one item replaced."""
    return (*items[:index], item, *items[index + 1 :])


def tile_size(count: int, width: int) -> int:
    """Layers of a tile of a stage of `count` layers of `width` units: near the wanted size, if possible
    without a remainder, which would be compiled too."""
    wanted = device_kind.in_use().tile_layers(count, width)
    if count <= wanted + wanted // 4:
        return count
    near = range(wanted + wanted // 4, wanted - wanted // 4 - 1, -1)
    return min(near, key=lambda size: (count % size != 0, abs(size - wanted)))


def tiles_of(network: Network) -> list[Tiles]:
    """All hidden layers, top first: for every stage its tiles of full size, then the remainder below them."""
    found, above, hidden = [], 0, network.depth - 1
    for index, stage in reversed(list(enumerate(list(network.stages)[:-1]))):
        size = tile_size(stage.count, math.prod(stage.input_shape))
        repeats, rest = divmod(stage.count, size)
        for first, layers, times in ((rest, size, repeats), (0, rest, 1)):
            if layers:
                found.append(Tiles(index, first, layers, times, hidden - above - layers * times, above))
                above += layers * times
    return found


def sweep(
    tiles: Sequence[Tiles],
    front: jax.Array | None,
    take: Callable[[Tile, Carry], Taken],
    visit: Callable[[Tile, Taken, Carry], Carry],
    carry: Carry,
) -> Carry:
    """Visit the tiles that hold any of the top `front` hidden layers, or all of them without it, from the top down.

    `take` reads from the carry what a tile needs and its predecessor does not change; `visit` must not read that part
    of the carry again. The carry must keep its shapes. Taking the next tile's part at the end of a visit lets
    the carry be written in place: a stack that is read and written in one visit would be copied as a whole.
    """
    for group in tiles:

        def tile(index: Index, group: Tiles = group) -> Tile:
            up = (group.repeats - 1 - index) * group.size if group.repeats > 1 else 0
            return Tile(group.stage, group.first + up, group.size, group.below + up)

        always = front is None or group.above == 0 or group.size == 1  # one layer costs less than a loop
        if group.repeats == 1 and always:
            carry = visit(tile(0), take(tile(0), carry), carry)
            continue

        def body(
            index: jax.Array,
            both: tuple[Taken, Carry],
            tile: Callable[[Index], Tile] = tile,
            last: int = group.repeats - 1,
        ) -> tuple[Taken, Carry]:
            carry = visit(tile(index), *both)
            return take(tile(jnp.minimum(index + 1, last)), carry), carry

        reached = group.repeats if front is None else jnp.clip(-((group.above - front) // group.size), 0, group.repeats)
        span = (jnp.int32(0), jnp.int32(reached))
        _, carry = jax.lax.fori_loop(*span, body, (take(tile(jnp.int32(0)), carry), carry))
    return carry


def columns(x: jax.Array, z: Activities) -> Activities:
    """Activities together with their inputs: (count + 1, B, ...), row 0 being the activity below the stage, so that the
    inputs of a tile are one slice; a stage of one layer, whose input may have another width, stays (1, B, ...)."""
    return fed(x, tuple(own if own.shape[0] == 1 else jnp.concatenate([own[:1], own]) for own in z))


def fed(x: jax.Array, rows: Activities) -> Activities:
    """`columns` with row 0 updated from the stage below."""
    tops = (x, *(own[-1] for own in rows[:-1]))
    return tuple(own if len(own) == 1 else own.at[0].set(below) for own, below in zip(rows, tops, strict=True))


def activities_of(rows: Activities) -> Activities:
    """Inverse of `columns`."""
    return tuple(own if len(own) == 1 else own[1:] for own in rows)


def around(x: jax.Array, rows: Activities, tile: Tile) -> tuple[jax.Array, ...]:
    """The arrays that `inputs_and_own` takes apart: one slice where possible, since it may be kept for a while."""
    own = rows[tile.stage]
    if len(own) > 1:
        return (jax.lax.dynamic_slice_in_dim(own, tile.first, tile.size + 1),)
    return rows[tile.stage - 1][-1:] if tile.stage else x[None], own


def inputs_and_own(parts: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
    """The inputs and the activities of a tile, (size, B, ...) each, from what is `around` it."""
    return (parts[0], parts[1]) if len(parts) > 1 else (parts[0][:-1], parts[0][1:])
