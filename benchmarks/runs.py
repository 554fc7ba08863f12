"""What is timed: at which shapes, training steps of the engine, and those of the reference."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import reference
from benchmarks.alone import all_finite
from pcviz.experiment import Experiment, from_paths
from pcviz.frames import STEP_ROWS
from pcviz.pcn import Network, build, learning, weights
from pcviz.pcn.trace import padded_rows

BATCH, INPUTS, OUTPUTS = 64, 64, 10
STEP_SIZE, LEARNING_RATE = 0.3, 1e-3


class Shape(NamedTuple):
    """L, N, T."""

    depth: int
    width: int
    steps: int

    @property
    def flops(self) -> float:
        """Nominal operations of one training step without the front window."""
        hidden, square = self.depth - 2, self.width**2
        relaxation = self.steps * (4 * BATCH * hidden * square + 4 * BATCH * OUTPUTS * self.width)
        once = 6 * BATCH * hidden * square + 4 * BATCH * INPUTS * self.width + 6 * BATCH * self.width * OUTPUTS
        return relaxation + once

    def __str__(self) -> str:
        return f"L={self.depth} N={self.width} T={self.steps}"


SHAPES = [Shape(8, 32, 16), Shape(16, 64, 15), Shape(32, 32, 32), Shape(32, 128, 16)]
SHAPES += [Shape(128, 32, 16), Shape(128, 128, 16), Shape(129, 64, 128)]
"""Shapes at which trainings are compared with other libraries, and with their own bare steps."""


def paths_of(shape: Shape) -> dict[str, Any]:
    """The settings of the experiment that is timed."""
    return {
        "network.depth": shape.depth,
        "network.width": shape.width,
        "network.activation": "tanh",
        "inference.solver": "gradient_descent",
        "inference.steps": shape.steps,
        "inference.step_size": STEP_SIZE,
        "learning.learning_rate": LEARNING_RATE,
        "learning.batch_size": BATCH,
    }


def experiment_of(shape: Shape) -> Experiment:
    """The experiment that is timed."""
    return from_paths(paths_of(shape))


def batch() -> tuple[jax.Array, jax.Array]:
    """Gaussian inputs (B, D) and one-hot targets (B, K)."""
    rng = np.random.default_rng(0)
    y = np.eye(OUTPUTS)[rng.integers(OUTPUTS, size=BATCH)]
    return jnp.asarray(rng.standard_normal((BATCH, INPUTS)), jnp.float32), jnp.asarray(y, jnp.float32)


class EngineRun:
    """Training steps of pcviz on one device, nothing recorded: as many in one call as asked for."""

    def __init__(self, shape: Shape, *, windowed: bool) -> None:
        experiment = experiment_of(shape)
        self.method = learning.method_of(experiment, windowed=windowed, recorded=False)
        self.numbers = learning.numbers_of(experiment, jnp.asarray(padded_rows(np.arange(0), STEP_ROWS)))
        self.network = build(experiment, INPUTS, OUTPUTS)
        self.slots = learning.fresh_slots(self.method, self.network, self.numbers)
        x, y = batch()
        self.batches = learning.Batches(x, y, jnp.broadcast_to(jnp.arange(BATCH), (64, BATCH)), jnp.ones(64, bool))
        self.keys = jax.vmap(jax.random.key)(jnp.arange(64))
        self.loss = float("nan")

    def arguments(self, count: int) -> tuple[Any, ...]:
        """The arguments of the compiled program."""
        return self.method, self.network, self.slots, self.batches, jnp.asarray(count), self.numbers, self.keys

    def compile(self) -> None:
        """Trace and compile, without running."""
        learning.weight_steps.jitted.lower(*self.arguments(1)).compile()

    def __call__(self, count: int) -> None:
        result = jax.block_until_ready(learning.weight_steps(*self.arguments(count)))
        self.network, self.slots, _, course, done = result
        all_finite(int(done), count)
        self.loss = float(course.losses[count - 1])


class ReferenceRun:
    """Training steps of the unrolled network, one call each, from the weights of `network`."""

    def __init__(self, shape: Shape, network: Network) -> None:
        optimiser = optax.adam(LEARNING_RATE)
        model = reference.mupc(shape.depth, shape.width, INPUTS)
        self.step: Any = reference.make_training_step(model, optimiser, STEP_SIZE, shape.steps)
        self.weights = [jnp.array(w) for w in weights(network)]
        self.slots = optimiser.init(self.weights)
        self.x, self.y = batch()
        self.loss = float("nan")

    def compile(self) -> None:
        """Trace and compile, without running."""
        self.step.lower(self.weights, self.slots, self.x, self.y).compile()

    def __call__(self, count: int) -> None:
        for _ in range(count):
            self.weights, self.slots, loss = self.step(self.weights, self.slots, self.x, self.y)
        jax.block_until_ready((self.weights, self.slots))
        self.loss = float(loss)
