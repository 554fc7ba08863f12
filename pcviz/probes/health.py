"""Measures of health: do the errors arrive, and do the weights move, as in a network that learns?

The reference is a chain in which every layer passes its errors on unchanged, relaxed by the same solver for as many
steps: after few steps little reaches a layer at any depth, which is no fault of the network. Thresholds and the
trainings that they come from: docs/health.md.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Experiment
from pcviz.pcn.options import rates_of
from pcviz.pcn.precisions import precisions
from pcviz.probes.theory import chain_signal

SOURCE = 1e6
"""Output error of the chain over what it sends down: a source that the relaxation does not use up."""
NOTHING = 30.0
"""Decades that stand for a layer without any error, whose activities are zero too."""
WEIGHT_STEP = 1e-4, 0.2
"""Least and greatest |dW_l| / |W_l| in one step with which networks of the calibration learned."""


def chain_energies(experiment: Experiment) -> np.ndarray | None:
    """E_l of hidden layers 1 … H of a chain at the end of a weight step's relaxation, over that of layer H, (H,).

    All 1 for backpropagation, whose errors do not decay on their way. None where theory has no expectation.
    """
    if not experiment.learning.facts.relaxes:
        return np.ones(experiment.hidden_layers) if experiment.network.facts.plain else None
    chain = chain_trace(experiment, [experiment.inference_steps])
    return None if chain is None else chain[-1]


def chain_trace(experiment: Experiment, steps: Sequence[int] | np.ndarray) -> np.ndarray | None:
    """E_l of hidden layers 1 … H of the chain over that of layer H, after each of these ascending numbers of inference
    steps, (len(steps), H), as a relaxation has them whatever the learning rule. NaN after no step: E_H is 0.

    All 1 for error-based inference, whose errors do not decay on their way. None where theory has no expectation:
    starts other than the feedforward one, Adam on the activities, step sizes at which the chain diverges, no steps,
    activity decay, rules that relax something else than the energy. (A nudge scales all errors alike.)
    """
    inference, hidden = experiment.inference, experiment.hidden_layers
    if not experiment.network.facts.plain:  # auxiliary neurons relay errors as no layer of the chain does
        return None
    solver = inference.facts
    plain = experiment.learning.facts.plain and not inference.activity_decay
    if inference.initial != "feedforward" or solver.rate is None or not steps[-1] or not plain:
        return None
    if solver.space == "errors":
        return np.where(np.asarray(steps)[:, None] > 0, np.ones(hidden), np.nan)
    deltas = [np.ones((1, 1))] * hidden + [np.full((1, 1), SOURCE)]
    options: dict[str, Any] = {
        "momentum": solver.memory(inference.momentum),
        "precisions": _precisions(experiment, int(steps[-1])),
    }
    with np.errstate(over="ignore", invalid="ignore"):
        signal = chain_signal(deltas, inference.step_size, steps, **options)[:, :-1]
        energies = 10.0 ** (2 * (signal - signal[:, -1:]))
    return energies if np.isfinite(energies[-1]).all() else None


def _precisions(experiment: Experiment, steps: int) -> np.ndarray | None:
    """How much errors of layers 1 … L count in steps 0 … `steps` - 1, (steps, L); None: alike."""
    inference, depth = experiment.inference, experiment.network.depth
    if inference.precision_schedule == "constant":
        return None
    numbers = rates_of(inference, experiment.relaxation_steps, np.float64).precisions
    at = jnp.arange(steps)[:, None]
    return np.asarray(precisions(inference.precision_schedule, jnp.arange(1, depth + 1)[None], depth, at, numbers))


@short
class Arrival(NamedTuple):
    """How the errors have arrived: which of the layers 1 … L `should` have an error above rounding, (L,); the energy
    `expected` of each by theory, (L,), for the output its actual energy; by how many decades of energy the worst hidden
    layer that should have an error is `off` theory."""

    should: np.ndarray
    expected: np.ndarray
    off: float


def arrival(energies: np.ndarray, floors: np.ndarray, chain: np.ndarray, *, lack_only: bool = False) -> Arrival:
    """Compare layer energies, (L,), to those of a `chain`, (H,), relative to layer H. `floors` (L,) are the energies of
    rounding, which replace smaller energies.

    Where layer H itself has no error, it is expected to have the output's energy. With `lack_only` more energy than
    expected does not count: iPC adds some by moving weights during the relaxation.
    """
    source = energies[-2] if energies[-2] > floors[-2] else energies[-1]
    expected = np.append(chain * source, energies[-1])
    should = np.append(expected[:-1] > floors[:-1], True)
    share = np.maximum(energies, floors)[should] / expected[should]
    decades = np.log10(np.clip(share[:-1], 10.0**-NOTHING, 10.0**NOTHING))
    off = abs(decades.min(initial=0.0)) if lack_only else np.abs(decades).max(initial=0.0)
    return Arrival(should, expected, float(off))


def learning_layers(weight_steps: np.ndarray, should: np.ndarray) -> int:
    """Of the layers that `should` have an error, (L,), the number whose weights move by a share of their size within
    WEIGHT_STEP; `weight_steps` (L,) are |dW_l| / |W_l| of one step."""
    least, most = WEIGHT_STEP
    return int(np.sum(should & (weight_steps >= least) & (weight_steps <= most)))
