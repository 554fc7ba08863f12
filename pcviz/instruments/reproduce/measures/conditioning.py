"""The condition number of inference at the start: extreme eigenvalues of the activity Hessian of linear networks, which
depend on the weights alone (theory.md 4.4)."""

from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.measures.forward_pass import shape_at_start
from pcviz.instruments.reproduce.studies.start import Place, Start
from pcviz.numerics.krylov import Work
from pcviz.pcn import build
from pcviz.pcn.curvature import largest_curvature, smallest_curvature
from pcviz.pcn.feedforward import forward


def measure(place: Place, protocol: Start) -> Work[dict[str, Any]]:
    """Condition numbers of the networks of one cell: geometric mean, ends; mean of the greatest eigenvalue."""
    first = protocol.experiment_of(place, 0)
    data = load(first.data, first.seed, first.dtype)
    x, y = (jax.device_put(part[:1]) for part in (data.x_train, data.y_train))
    smallest, largest = [], []
    for seed in range(protocol.seeds):
        network = build(protocol.experiment_of(place, seed), x.shape[1], y.shape[1])
        z, _ = forward(network, x)
        largest.append(float(largest_curvature(network, x, y, z)[0]))
        yield
        smallest.append(float(smallest_curvature(network, x, y, z)[0]))
        yield
    ratios = np.array(largest) / np.array(smallest)
    return {
        "condition": float(np.exp(np.log(ratios).mean())),
        "least": float(ratios.min()),
        "greatest": float(ratios.max()),
        "largest": float(np.mean(largest)),
    }


MEASURES = {"conditioning": Measure(one_by_one(measure), shape_at_start)}
