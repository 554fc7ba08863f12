"""Trainings by solvers that no experiment trains by: they choose their own step size, so that inference stays stable
while the weights grow."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.experiment import Experiment
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn import Network, build, optimisers
from pcviz.pcn.energy import output_loss
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import learned_gradient
from pcviz.pcn.learning import method_of, numbers_of
from pcviz.pcn.network import replaced, stacked_weights
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.trace import padded_rows

BACKPROP = "backprop"
"""In place of a solver: the gradient of the loss."""


@compiled("solver")
def gradients(solver: str, network: Network, x: jax.Array, y: jax.Array, steps: jax.Array) -> tuple[Any, ...]:
    """The weight gradients after so many steps of inference, by stage."""
    if solver == BACKPROP:
        return jax.grad(lambda w: output_loss(network.loss, forward(replaced(network, w), x)[1], y))(
            stacked_weights(network)
        )
    by, settings = solver_of(solver), Settings(None)
    state = by.begin(network, x, y, settings)
    state = by.advance(network, x, y, state, jnp.zeros((), jnp.int32), steps, settings)
    return learned_gradient(network, x, by.settle(network, x, y, state, steps))


@compiled("solver", "optimiser")
def _stepped(
    solver: str,
    optimiser: str,
    descent: Descent,
    learner: tuple[Network, Any],
    x: jax.Array,
    y: jax.Array,
    steps: jax.Array,
) -> tuple[tuple[Network, Any], jax.Array]:
    """The network and its slots after one weight step, and the loss before it."""
    network, slots = learner
    loss = output_loss(network.loss, forward(network, x)[1], y)
    found = gradients(solver, network, x, y, steps)
    weights, slots = optimisers.descend(optimiser, descent, stacked_weights(network), found, slots)
    return (replaced(network, weights), slots), loss


def learnt(
    experiment: Experiment, solver: str, steps: int, enough: Callable[[Sequence[float]], bool] = lambda losses: False
) -> Work[tuple[Network, list[float]]]:
    """The network of an experiment that learns after so many steps of a solver before each weight step, and the losses
    of the batches; ends early where one is not finite, or the losses are `enough`."""
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = jax.device_put((data.x_train, data.y_train))
    network = build(experiment, x.shape[1], y.shape[1])
    descent = numbers_of(experiment, jax.device_put(padded_rows(np.arange(0), 1))).descent
    optimiser, count = method_of(experiment).optimiser, jax.device_put(np.int32(steps))
    learner = network, optimisers.start(optimiser, stacked_weights(network), descent)
    losses: list[float] = []
    for step in range(experiment.learning.steps):
        chosen = batch_indices(experiment.seed, step, len(x), experiment.learning.batch_size)
        learner, loss = _stepped(solver, optimiser, descent, learner, x[chosen], y[chosen], count)
        losses.append(float(loss))
        if not np.isfinite(losses[-1]) or enough(losses):
            break
        yield
    return learner[0], losses
