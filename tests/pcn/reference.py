"""A second opinion: a predictive coding network in plain numpy, float64, written from the equations alone.

F = mean over examples of sum_{l=1..H} 1/2 |e_l|² + E_out, with mu_l = a_l W_l phi_l(z_{l-1}) + tau_l z_{l-1} (phi_1
the identity), e_l = z_l - mu_l, e_L = y - mu_L, and E_out = lambda/2 |e_L|² (mse) or -lambda sum_k y_k log
softmax(mu_L)_k (ce).
Loops over layers, no automatic differentiation, nothing shared with the package (theory.md 1 to 1.5, 2.1, 3.6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

Array = np.ndarray
Layers = list[Array]


def gelu(z: Array) -> Array:
    return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def gelu_slope(z: Array) -> Array:
    t = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "linear": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1) * 1.0),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "gelu": (gelu, gelu_slope),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0))),
    ),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
}
"""Name -> (phi, phi')."""


class Descent(NamedTuple):
    """Layer energies (T+1, L) at every step, row 0 = the start, and the last activities [z_1 … z_H]."""

    energies: Array
    activities: Layers


@dataclass(frozen=True)
class ReferencePCN:
    """Weights W_l (N_l, N_{l-1}), premultipliers a_l, skip flags tau_l, all as lists of length L."""

    weights: Layers
    premultipliers: list[float]
    skips: list[int]
    activation: str = "linear"
    loss: str = "mse"
    precision: float = 1.0

    @property
    def depth(self) -> int:
        return len(self.weights)

    def phi(self, layer: int, z: Array) -> Array:
        return z if layer == 1 else ACTIVATIONS[self.activation][0](z)

    def slope(self, layer: int, z: Array) -> Array:
        return np.ones_like(z) if layer == 1 else ACTIVATIONS[self.activation][1](z)

    def predict(self, layer: int, z: Array) -> Array:
        """mu_l from z_{l-1}."""
        scale, weight, skip = self.premultipliers[layer - 1], self.weights[layer - 1], self.skips[layer - 1]
        mu = scale * self.phi(layer, z) @ weight.T
        return mu + z if skip else mu

    def forward(self, x: Array, errors: Layers | None = None) -> tuple[Layers, Array]:
        """[z_1 … z_H] with z_l = mu_l + e_l (no errors unless given), and the output."""
        z, activities = x, []
        for layer in range(1, self.depth):
            z = self.predict(layer, z)
            if errors is not None:
                z = z + errors[layer - 1]
            activities.append(z)
        return activities, self.predict(self.depth, z)

    def errors(self, x: Array, y: Array, activities: Layers) -> Layers:
        """[e_1 … e_L]; e_L is minus the gradient of one example's loss with respect to mu_L."""
        below = [x, *activities]
        hidden = [activities[l - 1] - self.predict(l, below[l - 1]) for l in range(1, self.depth)]
        output = self.predict(self.depth, below[-1])
        return [*hidden, y - output if self.loss == "mse" else y - y.sum(-1, keepdims=True) * softmax(output)]

    def energies(self, x: Array, y: Array, activities: Layers) -> Array:
        """E_1 … E_L, mean over the batch."""
        *hidden, _ = self.errors(x, y, activities)
        output = self.predict(self.depth, activities[-1])
        return np.array([*(half_square(e) for e in hidden), self.precision * self.output_loss(output, y)])

    def output_loss(self, output: Array, y: Array) -> float:
        if self.loss == "mse":
            return half_square(y - output)
        return float(-np.mean(np.sum(y * log_softmax(output), -1)))

    def activity_gradients(self, x: Array, y: Array, activities: Layers) -> Layers:
        """dF/dz_l of the batch mean, l = 1 … H."""
        *hidden, output = self.errors(x, y, activities)
        d = [*hidden, self.precision * output]
        return [(d[l - 1] - self.pull(l, d[l], z)) / len(x) for l, z in enumerate(activities, 1)]

    def pull(self, layer: int, d: Array, z: Array) -> Array:
        """What the error d of layer l + 1 asks of z_l: tau d + a (d W) * phi'(z)."""
        scale, weight, skip = self.premultipliers[layer], self.weights[layer], self.skips[layer]
        pull = scale * (d @ weight) * self.slope(layer + 1, z)
        return pull + d if skip else pull

    def weight_gradients(self, x: Array, y: Array, activities: Layers) -> Layers:
        """dF/dW_l of the batch mean, l = 1 … L."""
        *hidden, output = self.errors(x, y, activities)
        return self.local_gradients([x, *activities], [*hidden, self.precision * output])

    def local_gradients(self, below: Layers, d: Layers) -> Layers:
        """-(a_l / B) d_l^T phi_l(z_{l-1})."""
        return [
            -scale / len(z) * d_l.T @ self.phi(l, z)
            for l, (scale, d_l, z) in enumerate(zip(self.premultipliers, d, below, strict=True), 1)
        ]

    def relax(self, x: Array, y: Array, step: float, steps: int, start: Layers | None = None) -> Descent:
        """Gradient descent on the activities, `step` per example, all layers from the old values at once."""
        z = self.forward(x)[0] if start is None else start
        energies = [self.energies(x, y, z)]
        for _ in range(steps):
            gradients = self.activity_gradients(x, y, z)
            z = [z_l - step * len(x) * g for z_l, g in zip(z, gradients, strict=True)]
            energies.append(self.energies(x, y, z))
        return Descent(np.array(energies), z)

    def relax_errors(self, x: Array, y: Array, step: float, steps: int) -> Layers:
        """Error-based inference (theory.md 3.6): the errors [e_1 … e_H] after `steps` steps from zero."""
        errors = [np.zeros_like(z) for z in self.forward(x)[0]]
        for _ in range(steps):
            pulls = self.output_pulls(x, y, errors, self.precision)
            errors = [e - step * (e - q) for e, q in zip(errors, pulls, strict=True)]
        return errors

    def output_pulls(self, x: Array, y: Array, errors: Layers | None, precision: float) -> Layers:
        """q_1 … q_H: minus the gradient of one example's output energy with respect to the hidden errors."""
        activities, output = self.forward(x, errors)
        pull = precision * (y - output if self.loss == "mse" else y - y.sum(-1, keepdims=True) * softmax(output))
        pulls = []
        for layer in range(self.depth - 1, 0, -1):
            pull = self.pull(layer, pull, activities[layer - 1])
            pulls.insert(0, pull)
        return pulls

    def backprop(self, x: Array, y: Array) -> tuple[float, Layers, Layers]:
        """Feedforward loss without lambda; its weight gradients; delta_l = -dLoss/dz_l of each example, l = 1 … L."""
        activities, output = self.forward(x)
        plain = replace(self, precision=1.0)
        deltas = [*plain.output_pulls(x, y, None, 1.0), plain.errors(x, y, activities)[-1]]
        return self.output_loss(output, y), self.local_gradients([x, *activities], deltas), deltas

    def maps(self) -> Layers:
        """M_l = a_l W_l + tau_l I of a linear network."""
        assert self.activation == "linear"
        parts = zip(self.premultipliers, self.weights, self.skips, strict=True)
        return [a * w + tau * np.eye(*w.shape) for a, w, tau in parts]


def softmax(logits: Array) -> Array:
    return np.exp(log_softmax(logits))


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def half_square(e: Array) -> float:
    return float(0.5 * np.mean(np.sum(e**2, -1)))


def scales(
    parameterisation: str, skips: bool, depth: int, width: int, input_dim: int, gamma: float = 1.0
) -> list[float]:
    """a_1 … a_L of the table in theory.md 2.1."""
    hidden = (width * depth) ** -0.5 if skips else width**-0.5
    table = {
        "sp": [1.0, *[1.0] * (depth - 2), 1.0],
        "ntp": [input_dim**-0.5, *[hidden] * (depth - 2), width**-0.5],
        "mupc": [input_dim**-0.5, *[hidden] * (depth - 2), 1 / width],
    }
    *lower, last = table[parameterisation]
    return [*lower, last / gamma]


def random_pcn(
    rng: np.random.Generator,
    *,
    depth: int = 5,
    width: int = 6,
    input_dim: int = 7,
    output_dim: int = 3,
    parameterisation: str = "mupc",
    skips: bool = True,
    activation: str = "linear",
    loss: str = "mse",
    precision: float = 1.0,
    gamma: float = 1.0,
) -> ReferencePCN:
    """A network as initialised by theory.md 2.1: uniform for sp, standard normal for ntp and mupc."""
    sizes = [input_dim, *[width] * (depth - 1), output_dim]

    def weight(fan_in: int, fan_out: int) -> Array:
        if parameterisation == "sp":
            return rng.uniform(-(fan_in**-0.5), fan_in**-0.5, (fan_out, fan_in))
        return rng.standard_normal((fan_out, fan_in))

    weights = [weight(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)]
    flags = [0, *[int(skips)] * (depth - 2), 0]
    premultipliers = scales(parameterisation, skips, depth, width, input_dim, gamma)
    return ReferencePCN(weights, premultipliers, flags, activation, loss, precision)


def random_batch(rng: np.random.Generator, net: ReferencePCN, batch: int = 4) -> tuple[Array, Array]:
    """Gaussian inputs (B, D) and targets (B, K): Gaussian for mse, one-hot for ce."""
    inputs, outputs = net.weights[0].shape[1], net.weights[-1].shape[0]
    x = rng.standard_normal((batch, inputs))
    if net.loss == "ce":
        return x, np.eye(outputs)[rng.integers(outputs, size=batch)]
    return x, rng.standard_normal((batch, outputs))
