"""The course of a training loss: what studies of learning dynamics measure of every network."""

from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.instruments.reproduce.measures.backprop import stepped
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.jobs.training import Training
from pcviz.numerics.krylov import Work
from pcviz.pcn import build, evaluate, optimisers
from pcviz.pcn.learning import method_of, numbers_of
from pcviz.pcn.network import stacked_weights

SLICE_SECONDS = 0.1


def measure(trial: Any, protocol: Any) -> Work[dict[str, Any]]:
    """Train one network; returns its training losses at the times of the protocol: infinite from where it diverged,
    NaN after the end of its training."""
    training = Training(protocol.experiment_of(trial), beside=True)
    training.prepare()
    while not training.done:
        training.advance(training.steps, SLICE_SECONDS)
        yield
    values = training.frame(bulk=False).values
    steps, losses = np.asarray(values["step_history"]), np.asarray(values["train_loss_history"])[:, 0]
    seen = np.interp(protocol.times, steps, losses)
    seen[np.asarray(protocol.times) > training.step] = np.inf if training.diverged else np.nan
    return {"diverged": training.diverged, "losses": seen.tolist()}


def measure_exact(trial: Any, protocol: Any) -> Work[dict[str, Any]]:
    """The same for full batches and linear networks, whose equilibrium is known: no inference falls short of it, or
    diverges where S gets large."""
    if trial.rule == "bp":
        return (yield from measure(trial, protocol))
    experiment = protocol.experiment_of(trial)
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = jax.device_put((data.x_train, data.y_train))
    network = build(experiment, x.shape[1], y.shape[1])
    descent = numbers_of(experiment, jax.device_put(np.zeros(1, np.int32))).descent
    optimiser = method_of(experiment).optimiser
    slots = optimisers.start(optimiser, stacked_weights(network), descent)
    losses: dict[int, float] = {}
    for step in range(1, experiment.learning.steps + 1):
        if step in protocol.times:
            loss = float(evaluate(network, x, y).loss)
            losses[step] = np.inf if np.isnan(loss) else loss
        network, slots = stepped(optimiser, descent, network, slots, x, y)
        jax.block_until_ready(network)
        yield
    seen = [losses.get(time, np.nan) for time in protocol.times]
    return {"diverged": bool(np.isinf(seen).any()), "losses": seen}


def _shape(trial: Any, protocol: Any) -> tuple[Any, ...]:
    network = protocol.experiment_of(trial).network
    return network.width, network.depth, trial.rule


MEASURES = {
    "gamma0": Measure(one_by_one(measure), _shape),
    "saddle-to-saddle": Measure(one_by_one(measure_exact), _shape),
}
