"""The forward pass at the start: mean squares of activities, and the rescaling S between loss and F*, linearised around
the forward pass where activations are not linear (theory.md 4.3, 4.5)."""

from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.start import Cell, Start
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build
from pcviz.pcn.feedforward import forward, output_and_jacobians
from pcviz.pcn.infinite_width import expected
from pcviz.pcn.linear import layer_maps, output_jacobians, rescaling


@compiled()
def _seen(network: Network, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """tr S / K, and the mean squares of the first and of the last hidden layer."""
    activities, _ = forward(network, x)
    squares = [jnp.mean(stack**2, axis=(1, 2)) for stack in activities]
    return _rescaling(network, x), squares[0][0], squares[-1][-1]


def _rescaling(network: Network, x: jax.Array) -> jax.Array:
    if network.has_closed_form:
        s = rescaling(output_jacobians(layer_maps(network)))
        return jnp.trace(s) / len(s)
    errors = jax.tree.map(jnp.zeros_like, forward(network, x)[0])
    output, jacobians = output_and_jacobians(network, x, errors)
    return 1 + sum((jnp.sum(g**2) for g in jacobians), start=jnp.zeros(())) / output.size


def measure(place: Cell, protocol: Start) -> Work[dict[str, Any]]:
    """Means over the networks of one cell, with standard errors and expected values."""
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    inputs, outputs = data.x_train[: protocol.examples], data.y_train.shape[1]
    x = jax.device_put(inputs)
    seen = []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], outputs)
        seen.append([float(value) for value in _seen(network, x)])
        yield
    rescalings, starts, ends = np.array(seen).T
    wide = expected(first.network, np.asarray(inputs), outputs)
    return {
        "rescaling": _told(rescalings, float(wide.rescaling.mean())),
        "growth": _told(ends / starts, float(wide.squares[-1].mean() / wide.squares[0].mean())),
    }


def _told(values: np.ndarray, expected: float) -> dict[str, float]:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return {"mean": float(values.mean()), "error": error, "expected": expected}


def shape_at_start(place: Cell, protocol: Start) -> Hashable:
    """Cells whose networks share compiled programs."""
    return place.program


MEASURES = {"forward-pass": Measure(one_by_one(measure), shape_at_start)}
