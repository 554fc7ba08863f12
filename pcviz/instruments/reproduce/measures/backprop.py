"""When predictive coding becomes backpropagation: the weight gradients at the equilibrium of linear networks beside
those of the loss (theory.md 4.3)."""

from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.backprop import Backprop, Pair
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build, linear, optimisers
from pcviz.pcn.feedforward import evaluate
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.learning import method_of, numbers_of
from pcviz.pcn.network import replaced, stacked_weights
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.stacks import unstack
from pcviz.probes.alignment import backprop_gradients, compare


@compiled()
def _gradients(network: Network, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    """The weight gradients at the equilibrium, by stage."""
    at = linear.equilibrium(network, x, y)
    return weight_gradient(network, x, at.activities, at.errors)


@compiled("optimiser")
def stepped(
    optimiser: str, descent: Descent, network: Network, slots: Any, x: jax.Array, y: jax.Array
) -> tuple[Network, Any]:
    """One weight step along the gradients at the equilibrium."""
    weights, slots = optimisers.descend(optimiser, descent, stacked_weights(network), _gradients(network, x, y), slots)
    return replaced(network, weights), slots


def measure(pair: Pair, protocol: Backprop) -> Work[dict[str, Any]]:
    """The gradients of one network compared, at each of the times."""
    experiment = protocol.experiment_of(pair)
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = (jax.device_put(part[: protocol.examples]) for part in (data.x_train, data.y_train))
    network = build(experiment, x.shape[1], y.shape[1])
    descent = numbers_of(experiment, jax.device_put(np.zeros(1, np.int32))).descent
    optimiser = method_of(experiment).optimiser
    slots = optimisers.start(optimiser, stacked_weights(network), descent)
    found, made = [], 0
    for time in protocol.times:
        while made < time:
            network, slots = stepped(optimiser, descent, network, slots, x, y)
            made += 1
            yield
        found.append({"time": time, **_compared(network, x, y)})
        yield
    return {"times": found}


def _compared(network: Network, x: jax.Array, y: jax.Array) -> dict[str, Any]:
    gradients = [np.asarray(g) for g in unstack(_gradients(network, x, y))]
    seen = compare(gradients, backprop_gradients(network, x, y))
    least = float(linear.least_energy(network, x, y))
    return {
        "total": float(seen.total_cosine),
        "worst": float(np.nanmin(seen.cosine)),
        "quartiles": [float(value) for value in seen.quartile_cosine],
        "ratio": float(evaluate(network, x, y).loss) / least if least > 0 else None,
    }


MEASURES = {"pc-is-bp": Measure(one_by_one(measure))}
