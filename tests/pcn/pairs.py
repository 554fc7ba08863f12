"""The same random network twice: in plain numpy and in pcviz."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Experiment
from pcviz.pcn import Network, build, with_weights
from tests.pcn.reference import ReferencePCN, random_batch, random_pcn


def pair(
    seed: int = 0, *, dtype: str = "float64", batch: int = 4, **options: Any
) -> tuple[ReferencePCN, Network, np.ndarray, np.ndarray]:
    """(numpy network, pcviz network, x, y) with equal weights; `options` as of `random_pcn`: D=7, N=6, K=3, L=5."""
    rng = np.random.default_rng(seed)
    reference = random_pcn(rng, **options)
    named = dict(options)
    input_dim, output_dim = named.pop("input_dim", 7), named.pop("output_dim", 3)
    if "precision" in named:
        named["output_precision"] = named.pop("precision")
    settings = {"depth": 5, "width": 6, "activation": "linear", **named}
    experiment = Experiment.model_validate({"network": settings, "dtype": dtype})
    network = with_weights(build(experiment, input_dim, output_dim), reference.weights)
    return reference, network, *random_batch(rng, reference, batch)


def stacked_by_stage(network: Network, layers: Sequence[np.ndarray]) -> tuple[jax.Array, ...]:
    """Arrays of the lowest layers, one each, as stacks of the network's stages (its read-out excluded if not given)."""
    stacks, first = [], 0
    for stage in network.stages:
        if group := layers[first : first + stage.count]:
            stacks.append(jnp.stack([jnp.asarray(array, network.dtype) for array in group]))
        first += stage.count
    return tuple(stacks)
