"""Trainings of one shape (`pcviz.experiment.shape`), made together: one program for all, each with weights, rates and
examples of its own.

They are computed in turn or at once, as suits the device (`device_kind.mapped`): the numbers are those of
`learning.weight_steps` for each of them, to rounding.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.numerics.compiling import compiled
from pcviz.numerics.device_kind import mapped
from pcviz.pcn import learning
from pcviz.pcn.learning import Batches
from pcviz.pcn.network import Network
from pcviz.pcn.rules.base import Method, Numbers


@short
class Lanes(NamedTuple):
    """Trainings under way, stacked along a leading axis C: networks, optimiser slots and numbers."""

    networks: Network
    slots: Any
    numbers: Numbers


@short
class Advanced(NamedTuple):
    """What some weight steps made: the `lanes` after them, the `losses` (C, M) before each step, the layer `energies`
    (C, L) of the last finite one, and the number of finite ones `made` (C,)."""

    lanes: Lanes
    losses: jax.Array
    energies: jax.Array
    made: jax.Array


def begin(method: Method, networks: Sequence[Network], numbers: Sequence[Numbers]) -> Lanes:
    """Fresh trainings of these networks."""
    each = [
        Lanes(network, learning.fresh_slots(method, network, own), own)
        for network, own in zip(networks, numbers, strict=True)
    ]
    stacked: Lanes = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
    return stacked


def networks_of(lanes: Lanes) -> list[Network]:
    """The network of every lane."""
    leaves, shape = jax.tree.flatten(jax.tree.map(np.asarray, lanes.networks))
    return [jax.tree.unflatten(shape, own) for own in zip(*leaves, strict=True)]


@compiled("method", "size")
def advance(
    method: Method,
    size: int,
    lanes: Lanes,
    x: jax.Array,
    y: jax.Array,
    indices: jax.Array,
    counts: jax.Array,
    keys: jax.Array,
) -> Advanced:
    """At most `counts` (C,) weight steps of each lane on the examples `indices` (C, M, B) of x (P, D), y (P, K), ending
    early where one is not finite. `keys` (C, M) draw normal initial activities; `size` is how many numbers one lane
    holds while it is advanced."""
    unwanted = jnp.zeros(indices.shape[1], bool)

    def one(item: tuple[Lanes, jax.Array, jax.Array, jax.Array]) -> tuple[Any, ...]:
        lane, chosen, count, own = item
        batches = Batches(x, y, chosen, unwanted)
        network, slots, report, course, made = learning.weight_steps(
            method, lane.networks, lane.slots, batches, count, lane.numbers, own
        )
        return network, slots, course.losses, report.energies, made

    networks, slots, losses, energies, made = mapped(one, (lanes, indices, counts, keys), size)
    return Advanced(Lanes(networks, slots, lanes.numbers), losses, energies, made)
