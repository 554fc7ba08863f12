"""Vital signs of a network on one batch, layer by layer: what goes up through it, what backpropagation and predictive
coding send down, and what their weights get of it."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Experiment
from pcviz.frames import trace_rows
from pcviz.numerics.compiling import compiled
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.energy import layer_rms, rounding_energies
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import vector
from pcviz.pcn.trajectory import relaxing
from pcviz.probes.alignment import Gradients, compare, gradients_at

QUIET = 0.01
"""A unit is quiet for an example where the slope of its activation is below this: messages and updates stop there."""
ROWS = 64
"""Most states of a relaxation whose energy is recorded."""


@short
class Upward(NamedTuple):
    """Of hidden layers 1 … H, (H,) float64: rms of the feedforward activities, their effective rank over the batch (the
    participation ratio of the variances of their principal components), and the share of units that are quiet for all
    examples."""

    activity: np.ndarray
    rank: np.ndarray
    quiet: np.ndarray


@short
class Downward(NamedTuple):
    """Of a relaxation of T steps: of layers 1 … L, (L,) float64, rms of the errors at its end and of those that are
    only rounding, rms of predictive coding's weight gradients, their cosine with backpropagation's and the ratio of
    their norms. `steps` (R,) and `energies` (R,): the total energy on the way; not finite where it overflows."""

    error: np.ndarray
    floor: np.ndarray
    gradient: np.ndarray
    cosine: np.ndarray
    ratio: np.ndarray
    steps: np.ndarray
    energies: np.ndarray


def upward(network: Network, x: jax.Array) -> Upward:
    """The vital signs of the feedforward pass of x (B, D)."""
    return Upward(*map(np.asarray, _upward(network, x)))


@compiled()
def _upward(network: Network, x: jax.Array) -> tuple[jax.Array, ...]:
    slope = jax.grad(ACTIVATIONS[network.stages[-1].activation])
    for _ in range(3):
        slope = jax.vmap(slope)

    def of_stage(stack: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        z = stack.reshape(*stack.shape[:2], -1).astype(jnp.float64)
        # Scaled, so that squares of squares neither vanish nor overflow.
        centred = (z - z.mean(1, keepdims=True)) / jnp.maximum(jnp.abs(z).max((1, 2), keepdims=True), 1e-300)
        gram = jnp.einsum("cbn,cdn->cbd", centred, centred)
        total = jnp.trace(gram, axis1=1, axis2=2)
        rank = jnp.where(total > 0, total**2 / jnp.maximum(jnp.sum(gram**2, (1, 2)), 1e-300), 0)
        quiet = jnp.mean(jnp.all(jnp.abs(slope(z)) < QUIET, axis=1), axis=-1)
        return jnp.sqrt(jnp.mean(z**2, (1, 2))), rank, quiet

    return tuple(map(jnp.concatenate, zip(*map(of_stage, forward(network, x)[0]), strict=True)))


def downward(experiment: Experiment, network: Network, x: jax.Array, y: jax.Array, reference: Gradients) -> Downward:
    """The vital signs of the relaxation by which this experiment moves weights, on x (B, D) and y (B, K); for
    backpropagation those of its gradients. `reference`: backpropagation's gradients there."""
    if not experiment.learning.facts.relaxes:
        nothing = np.full(network.depth, np.nan)
        same = compare(reference, reference)
        return Downward(nothing, nothing, rms(reference), same.cosine, same.norm_ratio, np.arange(0), np.zeros(0))
    total = experiment.inference_steps
    rows = trace_rows(total, ROWS)
    options: dict[str, Any] = {"seed": experiment.seed, "traced": lambda *_: rows[:-1]}
    path, plan = relaxing(network, x, y, experiment.inference, experiment.learning, **options)
    batch = network, path.x, path.y
    begun = path.solver.begin(*batch, path.settings)
    state = path.solver.advance(*batch, begun, 0, total, path.settings) if total else begun
    settled = path.solver.settle(*batch, state, total)
    way = np.asarray(state.trace.rows)[: len(rows) - 1, : network.depth].sum(1)
    gradients = gradients_at(network, path.x, settled)
    found = compare(gradients, reference)
    error, energies = map(np.asarray, _ends(settled, path.y))
    sizes = [math.prod(stack.shape[2:]) for stack in settled.errors for _ in range(len(stack))]
    rounding = np.sqrt(2 * energies / sizes)
    return Downward(
        error=error,
        floor=np.zeros_like(error) if plan.displaced else rounding,
        gradient=rms(gradients),
        cosine=found.cosine,
        ratio=found.norm_ratio,
        steps=rows,
        energies=np.append(way, np.asarray(settled.energies).sum()),
    )


@compiled()
def _ends(settled: Settled, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """At the end of a relaxation the rms of the errors, and the energies of rounding, (L,) each."""
    return layer_rms(settled.errors), rounding_energies(settled.activities, y)


def rms(layers: Gradients) -> np.ndarray:
    """Root mean square of each layer's numbers, (L,) float64."""
    vectors = [vector(layer) for layer in layers]
    scales = [np.abs(numbers).max() or 1.0 for numbers in vectors]
    with np.errstate(invalid="ignore"):  # of infinite numbers there is no mean
        return np.array([s * np.sqrt(np.mean((v / s) ** 2)) for v, s in zip(vectors, scales, strict=True)])
