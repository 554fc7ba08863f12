"""The batch in shards: a CPU is treated as two devices, each of which relaxes half of the examples.

Examples never meet during a relaxation, only in the means that follow it: one sum over the shards for each weight step.
Whether a training is sharded depends on its experiment alone, so that its numbers do not depend on the cores of a
machine; how the sum is formed changes them by rounding only.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate

AXIS = "shards"
SHARDS = 2
WHOLE, HALVES = PartitionSpec(), PartitionSpec(None, AXIS)
LEAST = {"activities": (1e8, 150.0), "errors": (3e7, 100.0)}
"""Space of a solver -> shards pay where its relaxation has that much arithmetic, and uses each weight for that many
examples: both shards move all the weights. Layers one after another keep a single core busy, so that they pay sooner
for errors. Measured: docs/performance.md 5."""
Tree = TypeVar("Tree")


def prepare_devices() -> None:
    """Let a CPU count as several devices, unless the number was chosen before, or JAX is already in use."""
    if jax.config.jax_num_cpu_devices < 1:  # type: ignore[attr-defined]
        try:
            jax.config.update("jax_num_cpu_devices", SHARDS)
        except RuntimeError:
            return


def shards_of(experiment: Experiment) -> int:
    """Shards of the batches of a training: SHARDS where that pays and all can be equal, else 1."""
    learning, inference = experiment.learning, experiment.inference
    cost = estimate(experiment)
    least_flops, least_uses = LEAST[inference.facts.space]
    pays = cost.relaxation_flops >= least_flops and cost.weight_uses >= least_uses
    apart = learning.facts.relaxes and not learning.facts.moves_weights and inference.initial != "normal"
    whole = learning.batch_size % SHARDS == 0 and not cost.long_steps
    return SHARDS if pays and apart and whole and _devices() else 1


@cache
def _devices() -> list[Any]:
    """The devices of the shards; none where JAX uses an accelerator, or was in use before it could be told."""
    devices = jax.devices()
    return devices[:SHARDS] if devices[0].platform == "cpu" and len(devices) >= SHARDS else []


@cache
def mesh() -> Mesh:
    """The devices as `jax.shard_map` wants them."""
    return Mesh(np.array(_devices()), (AXIS,))


def over(function: Callable[..., Any], specs: list[Any], arguments: list[Any]) -> Any:
    """What the function returns on every shard, the same on all; `specs` says what each gets of the arguments."""
    mapped = jax.shard_map(function, mesh=mesh(), in_specs=tuple(specs), out_specs=WHOLE, check_vma=False)
    return mapped(*arguments)


def on_all(tree: Tree) -> Tree:
    """Its arrays copied to every shard."""
    return jax.device_put(tree, NamedSharding(mesh(), WHOLE))


def on_one(tree: Tree) -> Tree:
    """Its arrays, which are the same on every shard, on one device, as if they had never been elsewhere: programs for
    arrays that are bound to a device would be compiled once more."""
    return jax.device_put(jax.tree.map(lambda leaf: np.asarray(leaf.addressable_data(0)), tree))


def mean(tree: Tree) -> Tree:
    """Mean over the shards of each of its arrays, which all have one type. Within `jax.shard_map` only."""
    flat, back = ravel_pytree(tree)
    averaged: Tree = back(jax.lax.psum(flat, AXIS) / SHARDS)
    return averaged
