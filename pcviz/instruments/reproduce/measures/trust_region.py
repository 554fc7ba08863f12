"""Predictive coding as a trust-region method: directions of the first step, and trainings at several rates."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from pcviz.data import load
from pcviz.experiment.shape import shape_of
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.measures.equilibrated import BACKPROP, learnt
from pcviz.instruments.reproduce.studies.trust_region import INFERENCE_STEPS, LEARNT, MEANT, START, Learner, Race
from pcviz.numerics.krylov import Work
from pcviz.pcn import build
from pcviz.probes import curvature, trust_region
from pcviz.probes.minimum import descend

EXAMPLES = 32
"""Of the batch on which directions are compared."""


def measure(learner: Learner, protocol: Race) -> Work[dict[str, Any]]:
    """Directions of the first step; or the weight steps until a network has learnt, None: it has not."""
    if learner.rule == START:
        return (yield from _directions(learner, protocol))
    experiment = protocol.experiment_of(learner)
    solver = "conjugate_gradient" if learner.rule == "pc" else BACKPROP
    _, losses = yield from learnt(experiment, solver, INFERENCE_STEPS, _low)
    return {"learnt": len(losses) if _low(losses) else None}


def _low(losses: Sequence[float]) -> bool:
    """Whether the mean of the latest losses is low enough."""
    return len(losses) >= MEANT and float(np.mean(losses[-MEANT:])) < LEARNT


def _directions(learner: Learner, protocol: Race) -> Work[dict[str, Any]]:
    experiment = protocol.experiment_of(learner)
    data = load(experiment.data, experiment.seed, "float64")
    x, y = (jax.device_put(part[:EXAMPLES]) for part in (data.x_train, data.y_train))
    network = build(experiment.changed({"dtype": "float64"}), x.shape[1], y.shape[1])
    minimum = yield from descend(network, x, y)
    inference = trust_region.activity_step(network, x, y, minimum)
    yield
    pc = curvature.energy_gradient(network, x, y, minimum.activities)
    steps = yield from trust_region.steps(network, x, y, pc)
    angles = trust_region.angles(steps)
    return {
        "newton_cosine": inference.newton_cosine,
        "newton_ratio": inference.newton_ratio,
        "pc_newton": float(angles.to_newton.total_cosine),
        "pc_gradient": float(angles.to_gradient.total_cosine),
        "gradient_newton": float(angles.newton_to_gradient.total_cosine),
    }


MEASURES = {
    "trust-region": Measure(
        one_by_one(measure), lambda learner, protocol: (learner.rule, shape_of(protocol.experiment_of(learner)))
    )
}
