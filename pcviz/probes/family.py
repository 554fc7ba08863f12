"""What the members of the family of parameterisations do: activities, and what a small weight step changes
(theory.md 2.5)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import from_paths
from pcviz.experiment.family import INPUTS, OUTPUTS, Member
from pcviz.numerics.compiling import compiled
from pcviz.pcn import Network, build, linear
from pcviz.pcn.architectures.mlp import Dense
from pcviz.pcn.energy import output_loss
from pcviz.pcn.feedforward import forward
from pcviz.pcn.gradients import weight_gradient
from pcviz.pcn.network import replaced, stacked_weights


def start(width: int, depth: int, seed: int) -> Network:
    """A linear residual network whose weights are standard normal, float64; depth >= 3."""
    own = {"network.width": width, "network.depth": depth, "network.activation": "linear", "network.skips": True}
    return build(from_paths({**own, "seed": seed, "dtype": "float64"}), INPUTS, OUTPUTS)


def examples(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Orthogonal inputs of mean square 1, and targets ±1."""
    signs = np.random.default_rng(seed).integers(0, 2, (INPUTS, OUTPUTS))
    return INPUTS**0.5 * np.eye(INPUTS), 2.0 * signs - 1


def member_of(network: Network, member: Member) -> tuple[Network, float]:
    """The member of the family with these standard normal weights, scaled, and its learning rate."""
    a, b, c, d, alpha = (float(value) for value in member)
    inputs, width = network.stages[0].input_shape[0], network.stages[0].output_shape[0]
    std, rate = width ** (-b / 2), width ** (2 * d - c)
    scales = ((width / inputs) ** 0.5 * width**-a, width**-a * network.depth**-alpha, width ** (-a - d))
    stages = [
        Dense(std * stage.weights, jnp.full_like(stage.premultiplier[...], scale), stage.activation, skip > 0)
        for stage, scale, skip in zip(network.stages, scales, (0, 1, 0), strict=True)
    ]
    return Network(stages, network.output_precision[...], network.loss), rate


def observe(network: Network, member: Member, seed: int = 0) -> np.ndarray:
    """QUANTITIES by each of RULES, (2, 4), of the member with the standard normal weights of `network`."""
    made, rate = member_of(network, member)
    return np.asarray(_observed(made, rate, *map(jax.device_put, examples(seed))))


@compiled()
def _observed(network: Network, rate: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    def seen(weights: Any) -> tuple[jax.Array, jax.Array]:
        activities, output = forward(replaced(network, weights), x)
        return activities[-1][-1], output

    weights = stacked_weights(network)
    at = linear.equilibrium(network, x, y)
    gradients = (
        jax.grad(lambda weights: output_loss(network.loss, seen(weights)[1], y))(weights),
        weight_gradient(network, x, at.activities, at.errors),
    )
    z, output = seen(weights)
    rows = []
    for gradient in gradients:
        step = tuple(-rate * part for part in gradient)
        inner = (jnp.zeros_like(step[0]), step[1], jnp.zeros_like(step[2]))
        _, (_, update) = jax.jvp(seen, (weights,), (step,))
        _, (features, _) = jax.jvp(seen, (weights,), (inner,))
        rows.append([_rms(z), _rms(output), _rms(update), _rms(features) / _rms(z)])
    return jnp.array(rows)


def _rms(values: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(values**2))
