"""Nudging: the output is pulled only a little towards the target, or pushed away from it (methods.md 2; theory.md 5).

A nudge of strength beta, negative if it pushes away, is soft or hard. Soft: the output z_L is free, and the loss at z_L
counts beta times (equilibrium propagation). For the squared error its least energy at every step is known: that of a
clamped output with precision beta lambda / (1 + beta lambda); for the cross-entropy, where the output has no error of
its own, it is beta lambda. Hard: the output is clamped to y~ = o + beta (y - o), o being the feedforward output. What
weights learn from is divided by beta. Centred: every example twice, with both signs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.pcn.energy import output_energy, output_error, output_losses
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities, of_examples

SIGNS = {"positive": (1,), "negative": (-1,), "centred": (1, -1)}
"""Nudging -> the signs of the strength with which every example is relaxed."""


@short
class Goal(NamedTuple):
    """What the output is drawn to: the `target` (B, K), the `share` (B, 1) of the output precision with which it is,
    and the `strength` (B, 1), by which what weights learn from is divided."""

    target: jax.Array
    share: jax.Array
    strength: jax.Array


def repeated(nudging: str, batch: jax.Array) -> jax.Array:
    """The batch once for every sign of the nudge: (B, …) or (2 B, …)."""
    count = len(SIGNS.get(nudging, (1,)))
    return batch if count == 1 else jnp.concatenate([batch] * count)


def goal_of(
    nudging: str, clamp: str, network: Network, output: jax.Array, y: jax.Array, strength: jax.Array | float
) -> Goal:
    """The goal of a batch that is `repeated`, from the feedforward `output` and the target y, (B, K) both."""
    signs = jnp.repeat(jnp.asarray(SIGNS[nudging], y.dtype), len(y) // len(SIGNS[nudging]))[:, None]
    strength = signs * strength
    if clamp == "hard":
        return Goal(output + strength * (y - output), jnp.ones_like(strength), strength)
    free = 1 + strength * network.output_precision[...] if network.loss == "mse" else 1
    return Goal(y, strength / free, strength)


def nudged_energy(network: Network, output: jax.Array, goal: Goal) -> jax.Array:
    """E_L, () float64: mean of the loss at the target times |share| and lambda; positive too where the nudge pushes
    away."""
    losses = output_losses(network.loss, output, goal.target) * jnp.abs(goal.share[:, 0]).astype(jnp.float64)
    return network.output_precision[...].astype(jnp.float64) * jnp.mean(losses)


def output_pull(network: Network, output: jax.Array, y: jax.Array, goal: Goal | None) -> jax.Array:
    """lambda e_L, minus the gradient of the output energy of each example, (B, K)."""
    precision = network.output_precision[...]
    if goal is None:
        return precision * output_error(network.loss, output, y)
    return precision * goal.share * output_error(network.loss, output, goal.target)


def energy_of_output(network: Network, output: jax.Array, y: jax.Array, goal: Goal | None) -> jax.Array:
    """E_L, () float64."""
    return output_energy(network, output, y) if goal is None else nudged_energy(network, output, goal)


def taught(errors: Activities, goal: Goal) -> Activities:
    """Errors of all stages, output last, divided by the strength: what weights learn from."""
    hidden = tuple(e / of_examples(goal.strength[:, 0], e) for e in errors[:-1])
    return (*hidden, errors[-1] * (goal.share / goal.strength)[None])
