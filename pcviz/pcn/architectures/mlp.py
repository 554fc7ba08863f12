"""Fully connected layers, with or without biases: read-in, L - 2 equal hidden layers, read-out (theory.md 1.2)."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcviz.experiment import Experiment
from pcviz.numerics.compiling import compiled
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.network import Network
from pcviz.pcn.parameterisation import initial_weights, premultipliers
from pcviz.pcn.stage import BIAS


class Dense(nnx.Module):
    """`count` layers mu = a W phi(z) + tau z, or mu = a W phi(z) + tau z + b.

    `weight` (count, N_out, N_in), `premultiplier` (count, 1, 1); `activation` by name; `skip` is tau; `bias` (count,
    N_out) or None.
    """

    precision = None

    def __init__(
        self, weight: jax.Array, premultiplier: jax.Array, activation: str, skip: bool, bias: jax.Array | None = None
    ) -> None:
        self.weight = nnx.Param(weight)
        self.premultiplier = nnx.Variable(premultiplier)
        self.activation = activation
        self.skip = skip
        self.bias = None if bias is None else nnx.Param(bias)

    @property
    def count(self) -> int:
        """Number of layers."""
        return int(self.weight.shape[0])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(N_in,)."""
        return self.weight.shape[-1:]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(N_out,)."""
        return self.weight.shape[-2:-1]

    @property
    def weights(self) -> Any:
        """W_l, (count, N_out, N_in); with biases b_l (count, N_out) a dictionary of both, "weight" and "bias"."""
        return self.weight[...] if self.bias is None else {"weight": self.weight[...], BIAS: self.bias[...]}

    def with_weights(self, weights: Any) -> "Dense":
        """The same layers with other W_l and b_l."""
        weight, bias = (weights, None) if self.bias is None else (weights["weight"], weights[BIAS])
        return Dense(weight, self.premultiplier[...], self.activation, self.skip, bias)

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (count, B, N_out) from the activities below, (count, B, N_in); or one layer's, without axis 0."""
        # The premultiplier goes with the weight: constant during a relaxation, the product leaves the compiled loop.
        weight = self.premultiplier[...] * self.weight[...]
        mu = jnp.einsum("...bi,...oi->...bo", ACTIVATIONS[self.activation](z), weight)
        if self.bias is not None:
            mu = mu + self.bias[..., None, :]
        return mu + z if self.skip else mu

    def maps(self) -> jax.Array:
        """M_l = a_l W_l + tau_l I, (count, N_out, N_in) float64: what a linear layer does to changes of its input."""
        identity = jnp.eye(self.weight.shape[1])[None] if self.skip else 0
        return self.premultiplier[...].astype(jnp.float64) * self.weight[...] + identity


@compiled("initialisation", "shapes", "dtype")
def _weights(
    initialisation: str, seed: jax.Array, shapes: tuple[tuple[range, tuple[int, int]], ...], dtype: str
) -> list[jax.Array]:
    return [initial_weights(initialisation, seed, layers, shape).astype(dtype) for layers, shape in shapes]


def _mlp(experiment: Experiment, input_dim: int, output_dim: int) -> Network:
    options, seed, dtype = experiment.network, experiment.seed, experiment.dtype
    depth, width, activation = options.depth, options.width, options.activation
    every: tuple[tuple[range, tuple[int, int], str, bool], ...] = (
        (range(1, 2), (width, input_dim), "linear", False),
        (range(2, depth), (width, width), activation, options.skips),
        (range(depth, depth + 1), (output_dim, width), activation, False),
    )
    specs = tuple(spec for spec in every if len(spec[0]))
    scales = np.asarray(premultipliers(options, input_dim)).astype(dtype)[:, None, None]
    weights = _weights(options.initialisation, seed, tuple(spec[:2] for spec in specs), dtype)
    stages = []
    for weight, (layers, (outputs, _), phi, skip) in zip(weights, specs, strict=True):
        bias = jnp.zeros((len(layers), outputs), dtype) if options.biases else None
        stages.append(Dense(weight, jax.device_put(scales[layers.start - 1 : layers.stop - 1]), phi, skip, bias))
    return Network(stages, jax.device_put(np.asarray(options.output_precision, dtype)), options.loss)


ARCHITECTURE = _mlp


def skip_flags(network: Network) -> np.ndarray:
    """tau_1 … tau_L of fully connected layers, 0 or 1, (L,)."""
    return np.concatenate([np.full(stage.count, int(cast("Dense", stage).skip)) for stage in network.stages])
