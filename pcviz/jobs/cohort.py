"""Cohorts: trainings of one shape, made together, each told in a few numbers at its end."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.data.batches import batch_indices
from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate
from pcviz.frames import STEP_ROWS
from pcviz.jobs.code import code_version
from pcviz.jobs.pace import Pace
from pcviz.jobs.stepper import STEPS_AT_ONCE, noise_keys
from pcviz.numerics import device_kind
from pcviz.numerics.krylov import Work
from pcviz.pcn import build, evaluate, learning, together
from pcviz.pcn.trace import padded_rows

CALL_SECONDS = 0.1
"""A call of the compiled program takes about so long: pausing waits for it."""
MOST_BYTES = 1e9
"""Memory of a cohort."""
SHORT = 0.5
"""Where trainings of a cohort are made in turn, longer ones (seconds) are alone in it: their results come sooner."""
LATE = 0.1
"""The last share of the weight steps, over which the final loss is a mean: single batches differ."""
CURVE = 32
"""Points of a loss curve."""


def lanes_of(experiment: Experiment) -> int:
    """How many trainings like this one are made together at most."""
    cost, device = estimate(experiment), device_kind.in_use()
    if device.batch == 1 and cost.seconds > SHORT:
        return 1
    return int(np.clip(MOST_BYTES // (cost.learning_bytes + cost.activity_bytes), 1, device.lanes))


def key_of(experiment: Experiment, device: str) -> str:
    """A digest of all that the numbers of `trained` follow from, on such a device."""
    return hashlib.sha256(f"{experiment.model_dump_json()} {code_version(device)}".encode()).hexdigest()


def trained(experiments: Sequence[Experiment]) -> Work[list[dict[str, Any]]]:
    """Train experiments of one shape (`pcviz.experiment.shape`) and equal `lanes_of`, at most so many; pauses between
    calls.

    Returns for each: weight `steps` made, whether it `diverged`, `loss` (mean of the last LATE of the steps) and
    `least_loss` of training batches, `test_loss`, `test_accuracy` (NaN for regression), layer `energies` of the last
    step, and a `curve` of at most CURVE points: weight steps and the mean loss since the point before. What diverged
    has infinite losses.
    """
    first, lanes = experiments[0], lanes_of(experiments[0])
    data = load(first.data, first.seed, first.dtype)
    method = learning.method_of(first, recorded=False)
    no_rows = jax.device_put(padded_rows(np.arange(0), STEP_ROWS))
    members = [*experiments, *[first] * (lanes - len(experiments))]  # the program is made for `lanes` of them
    networks = [build(e, data.x_train.shape[1], data.y_train.shape[1]) for e in members]
    state = together.begin(method, networks, [learning.numbers_of(e, no_rows) for e in members])
    x, y = jax.device_put((data.x_train, data.y_train))
    wanted = np.array([e.learning.steps for e in experiments] + [0] * (lanes - len(experiments)))
    made, size, pace = np.zeros(lanes, int), _size(first), Pace()
    losses = np.full((lanes, wanted.max()), np.nan)
    energies = np.full((lanes, first.network.depth), np.nan)
    alive = np.arange(lanes) < len(experiments)
    while (alive & (made < wanted)).any():
        left = np.where(alive, wanted - made, 0)
        counts = np.minimum(left, min(STEPS_AT_ONCE, pace.affordable(CALL_SECONDS))).astype(np.int32)
        chosen, keys = _examples(members, made, counts, len(data.x_train))
        with pace.measured(int(counts.max())):
            state, seen, ended, did = jax.block_until_ready(
                together.advance(method, size, state, x, y, chosen, counts, keys)
            )
        did, seen, ended = np.asarray(did), np.asarray(seen), np.asarray(ended)
        for lane in map(int, np.flatnonzero(counts)):
            losses[lane, made[lane] : made[lane] + did[lane]] = seen[lane, : did[lane]]
            energies[lane] = ended[lane] if did[lane] else energies[lane]
        made += did
        alive &= did == counts
        yield
    found = []
    for lane, (experiment, network) in enumerate(zip(experiments, together.networks_of(state), strict=False)):
        told = _told(losses[lane, : made[lane]], experiment.learning.steps)
        test = evaluate(network, data.x_test, data.y_test) if alive[lane] else None
        told["test_loss"] = np.inf if test is None else float(test.loss)
        told["test_accuracy"] = np.nan if test is None or data.task != "classification" else float(test.accuracy)
        found.append(told | {"energies": energies[lane].tolist()})
        yield
    return found


def _size(experiment: Experiment) -> int:
    """How many numbers one lane holds while it is advanced."""
    cost = estimate(experiment)
    return int(cost.learning_bytes + cost.activity_bytes) // 4


def _examples(
    members: Sequence[Experiment], made: np.ndarray, counts: np.ndarray, train_size: int
) -> tuple[np.ndarray, jax.Array]:
    """The examples (C, M, B) and noise keys (C, M) of the next steps of every lane."""
    batch = members[0].learning.batch_size
    chosen = np.zeros((len(members), STEPS_AT_ONCE, batch), np.int32)
    keys = []
    for lane, (experiment, first, count) in enumerate(zip(members, made, counts, strict=True)):
        steps = range(int(first), int(first) + STEPS_AT_ONCE)
        for row, step in zip(chosen[lane, :count], steps, strict=False):
            row[:] = batch_indices(experiment.seed, step, train_size, batch)
        keys.append(noise_keys(experiment, steps))
    return chosen, jnp.stack(keys)


def _told(losses: np.ndarray, steps: int) -> dict[str, Any]:
    """What a course of losses is told in."""
    made = len(losses)
    diverged = made < steps
    late = losses[-max(1, round(LATE * steps)) :]
    ends = np.unique(np.linspace(0, made, CURVE + 1).round().astype(int))
    means = [float(losses[a:b].mean()) for a, b in pairwise(ends)]
    return {
        "steps": made,
        "diverged": diverged,
        "loss": np.inf if diverged else float(late.mean()),
        "least_loss": np.inf if diverged else float(losses.min()),
        "curve": [ends[1:].tolist(), means],
    }
