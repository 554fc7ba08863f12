"""The condition number of inference at the start: extreme eigenvalues of the activity Hessian at the feedforward pass,
in the Gauss-Newton form (theory.md 4.1, 4.4). Those of linear networks depend on the weights alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.measures.forward_pass import shape_at_start
from pcviz.instruments.reproduce.studies.start import Cell, Start
from pcviz.numerics.krylov import Work
from pcviz.pcn import build
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward


def measure(place: Cell, protocol: Start) -> Work[dict[str, Any]]:
    """Condition numbers of the networks of one cell, at each example: geometric mean, ends; mean of the greatest
    eigenvalue."""
    x, outputs = _inputs(place, protocol)
    smallest: list[np.ndarray] = []
    largest: list[np.ndarray] = []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], outputs)
        z, y = forward(network, x)  # with its own output as target, the Hessian is the Gauss-Newton one
        largest.append(np.asarray(largest_curvature(network, x, y, z)))
        yield
        smallest.append(np.asarray(smallest_curvature(network, x, y, z)))
        yield
    ratios = np.array(largest) / np.array(smallest)
    return {
        "condition": float(np.exp(np.log(ratios).mean())),
        "least": float(ratios.min()),
        "greatest": float(ratios.max()),
        "largest": float(np.mean(largest)),
    }


def _inputs(place: Cell, protocol: Start) -> tuple[jax.Array, int]:
    """The inputs (B, D) and the number of outputs."""
    if place.scalar:
        return jnp.ones((1, 1), jnp.float64), 1
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    count = 1 if place.activation == "linear" else protocol.examples
    return jax.device_put(data.x_train[:count]), data.y_train.shape[1]


MEASURES = {"conditioning": Measure(one_by_one(measure), shape_at_start)}
