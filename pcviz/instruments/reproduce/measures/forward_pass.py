"""The forward pass at the start: mean squares of activities, and the rescaling S between loss and F*, of linear
networks (theory.md 4.3, 4.5)."""

from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.start import KINDS, Place, Start, expected_rescaling, growth
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build
from pcviz.pcn.feedforward import forward
from pcviz.pcn.linear import layer_maps, output_jacobians, rescaling


@compiled()
def _seen(network: Network, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """tr S / K, and the mean squares of the first and of the last hidden layer."""
    activities, _ = forward(network, x)
    s = rescaling(output_jacobians(layer_maps(network)))
    squares = [jnp.mean(stack**2, axis=(1, 2)) for stack in activities]
    return jnp.trace(s) / len(s), squares[0][0], squares[-1][-1]


def measure(place: Place, protocol: Start) -> Work[dict[str, Any]]:
    """Means over the networks of one cell, with standard errors and expected values."""
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    x = jax.device_put(data.x_train[: protocol.examples])
    seen = []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], data.y_train.shape[1])
        seen.append([float(value) for value in _seen(network, x)])
        yield
    rescalings, starts, ends = np.array(seen).T
    grown = ends / starts
    return {
        "rescaling": _told(rescalings, expected_rescaling(first)),
        "growth": _told(grown, growth(first) ** (first.hidden_layers - 1)),
    }


def _told(values: np.ndarray, expected: float) -> dict[str, float]:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return {"mean": float(values.mean()), "error": error, "expected": expected}


def shape_at_start(place: Place, protocol: Start) -> Hashable:
    """Cells whose networks share compiled programs."""
    return place.width, place.depth, KINDS[place.kind].changes["network.skips"]


MEASURES = {"forward-pass": Measure(one_by_one(measure), shape_at_start)}
