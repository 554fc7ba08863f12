"""When predictive coding becomes backpropagation: the weight gradients at the equilibrium beside those of the loss
(theory.md 4.3), in closed form for linear networks, by conjugate gradients for others."""

import math
from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures import equilibria
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.backprop_cells import Backprop, Pair, is_converged
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build, linear, optimisers
from pcviz.pcn.feedforward import backprop
from pcviz.pcn.gradients import learned_gradient, weight_gradient
from pcviz.pcn.learning import method_of, numbers_of
from pcviz.pcn.network import replaced, stacked_weights
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import unstack
from pcviz.probes.alignment import QUARTILES, compare, gradients_at

NOTHING: dict[str, Any] = {
    "total": math.nan,
    "worst": math.nan,
    "quartiles": [math.nan] * QUARTILES,
    "ratio": math.nan,
}
"""What is seen where the search for an equilibrium did not converge."""


@compiled()
def _gradients(network: Network, x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
    """The weight gradients at the equilibrium of a linear network, by stage."""
    at = linear.equilibrium(network, x, y)
    return weight_gradient(network, x, at.activities, at.errors)


@compiled("optimiser")
def stepped(
    optimiser: str, descent: Descent, network: Network, slots: Any, x: jax.Array, y: jax.Array
) -> tuple[Network, Any]:
    """One weight step of a linear network along the gradients at the equilibrium."""
    weights, slots = optimisers.descend(optimiser, descent, stacked_weights(network), _gradients(network, x, y), slots)
    return replaced(network, weights), slots


@compiled("optimiser")
def _descended(
    optimiser: str, descent: Descent, network: Network, slots: Any, x: jax.Array, settled: Settled
) -> tuple[Network, Any]:
    """One weight step along the gradients at the end of a relaxation."""
    gradients = learned_gradient(network, x, settled)
    weights, slots = optimisers.descend(optimiser, descent, stacked_weights(network), gradients, slots)
    return replaced(network, weights), slots


def measure(pair: Pair, protocol: Backprop) -> Work[dict[str, Any]]:
    """The gradients of one network compared, at each of the times."""
    experiment = protocol.experiment_of(pair)
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = (jax.device_put(part[: protocol.examples]) for part in (data.x_train, data.y_train))
    network = build(experiment, x.shape[1], y.shape[1])
    descent = numbers_of(experiment, jax.device_put(np.zeros(1, np.int32))).descent
    optimiser = method_of(experiment).optimiser
    times = protocol.times if protocol.is_followed(pair) else protocol.times[:1]
    learner = (optimiser, descent, network, x, y, times)
    found = yield from (_in_closed_form if network.has_closed_form else _by_search)(*learner)
    return {"followed": protocol.is_followed(pair), "times": found}


def _in_closed_form(
    optimiser: str, descent: Descent, network: Network, x: jax.Array, y: jax.Array, times: tuple[int, ...]
) -> Work[list[dict[str, Any]]]:
    slots = optimisers.start(optimiser, stacked_weights(network), descent)
    found, made = [], 0
    for time in times:
        while made < time:
            network, slots = stepped(optimiser, descent, network, slots, x, y)
            made += 1
            yield
        gradients = [np.asarray(g) for g in unstack(_gradients(network, x, y))]
        seen = _compared(network, x, y, gradients, float(linear.least_energy(network, x, y)))
        found.append({"time": time, "gradient": None, "resting": 0.0, **seen})
        yield
    return found


def _by_search(
    optimiser: str, descent: Descent, network: Network, x: jax.Array, y: jax.Array, times: tuple[int, ...]
) -> Work[list[dict[str, Any]]]:
    """The same at equilibria that are searched for; `gradient` is the largest one left at this or an earlier step.
    Weights are not followed beyond a search that did not converge."""
    slots = optimisers.start(optimiser, stacked_weights(network), descent) if len(times) > 1 else None
    found: list[dict[str, Any]] = []
    left = 0.0
    for step in range(times[-1] + 1):
        state = yield from equilibria.equilibrium(network, x, y)
        settled, slope, resting = equilibria.settled(network, x, y, state)
        left = max(left, float(slope)) if math.isfinite(slope) else math.inf
        own = {"gradient": left, "resting": float(resting)}
        if not is_converged(own):
            return [*found, *({"time": time, **own, **NOTHING} for time in times if time >= step)]
        if step in times:
            gradients = gradients_at(network, x, settled)
            found.append({"time": step, **own, **_compared(network, x, y, gradients, float(settled.energies.sum()))})
        yield
        if step < times[-1]:
            network, slots = _descended(optimiser, descent, network, slots, x, settled)
    return found


def _compared(network: Network, x: jax.Array, y: jax.Array, gradients: list[Any], least: float) -> dict[str, Any]:
    """The weight gradients beside those of the loss, and the loss over the `least` energy."""
    loss = backprop(network, x, y)
    seen = compare(gradients, [np.asarray(g, np.float64) for g in loss.gradients])
    return {
        "total": float(seen.total_cosine),
        "worst": float(np.nanmin(seen.cosine)),
        "quartiles": [float(value) for value in seen.quartile_cosine],
        "ratio": float(loss.loss) / least if least > 0 else math.nan,
    }


MEASURES = {"pc-is-bp": Measure(one_by_one(measure))}
