"""Networks with biases for tests, and their energy written out layer by layer."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment import Experiment, from_paths
from pcviz.pcn import Network, build, premultipliers, skip_flags, weights
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.network import flat_weights, with_flat_weights
from pcviz.pcn.stacks import Activities

SIZES = {"network.depth": 5, "network.width": 6, "network.activation": "tanh", "dtype": "float64"}
INPUTS, OUTPUTS = 7, 3

Layers = list[dict[str, jax.Array]]


def biased(seed: int = 0, batch: int = 4, **network: Any) -> tuple[Experiment, Network, jax.Array, jax.Array]:
    """(experiment, network with random weights and biases, x, y): D=7, N=6, K=3, L=5, tanh, float64."""
    changes = {f"network.{name}": value for name, value in network.items()}
    experiment = from_paths({**SIZES, "network.biases": True, **changes})
    rng = np.random.default_rng(seed)
    fresh = build(experiment, INPUTS, OUTPUTS)
    shift = 0.3 * rng.standard_normal(flat_weights(fresh).size)
    made = with_flat_weights(fresh, jnp.asarray(flat_weights(fresh) + shift))
    x, y = rng.standard_normal((batch, INPUTS)), rng.standard_normal((batch, OUTPUTS))
    if experiment.network.loss == "ce":
        y = np.eye(OUTPUTS)[y.argmax(1)]
    return experiment, made, jnp.asarray(x), jnp.asarray(y)


def predictions(network: Network, layers: Layers, below: list[jax.Array]) -> list[jax.Array]:
    """mu_l = a_l W_l phi(z_{l-1}) + tau_l z_{l-1} + b_l of the layers 1 … L with weights `layers`."""
    phi, found = ACTIVATIONS[network.stages[-1].activation], []
    parts = zip(premultipliers(network), skip_flags(network), layers, below, strict=True)
    for l, (a, tau, own, z) in enumerate(parts, 1):
        mu = a * (z if l == 1 else phi(z)) @ own["weight"].T + own["bias"][None]
        found.append(mu + z if tau else mu)
    return found


def energy(network: Network, layers: Layers, z: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    """The energy of activities [z_1 … z_H], mean over the batch."""
    *mu, output = predictions(network, layers, [x, *z])
    hidden = sum(0.5 * jnp.sum((a - b) ** 2) for a, b in zip(z, mu, strict=True))
    loss = 0.5 * jnp.sum((y - output) ** 2) if network.loss == "mse" else -jnp.sum(y * jax.nn.log_softmax(output))
    return (hidden + network.output_precision[...] * loss) / len(x)


def layers_of(network: Network) -> Layers:
    """Weights and biases of layers 1 … L."""
    return weights(network)


def random_activities(network: Network, batch: int = 4, seed: int = 3) -> Activities:
    """Activities that are nowhere at equilibrium, a stack for each hidden stage."""
    rng = np.random.default_rng(seed)
    shapes = [(stage.count, batch, *stage.output_shape) for stage in network.stages[:-1]]
    return tuple(jnp.asarray(rng.standard_normal(shape)) for shape in shapes)
