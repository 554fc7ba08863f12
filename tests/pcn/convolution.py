"""A second architecture, for tests: a circular 1-D convolution with biases, whose activities are (channels, sites)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcviz.pcn import Network
from pcviz.pcn.activations import ACTIVATIONS

SITES, CHANNELS, KERNEL = 6, 2, 3


class Convolution(nnx.Module):
    """`count` layers mu = a (kernel * phi(z) + bias) + tau z, `kernel` (count, C_out, C_in, 3), `bias` (count, C_out);
    or read-outs a (W phi(z) + bias) to K outputs where `kernel` (count, K, C_in, sites) sees every site at once."""

    precision = None

    def __init__(self, kernel: jax.Array, bias: jax.Array, premultiplier: jax.Array, activation: str, kind: str):
        self.kernel, self.bias = nnx.Param(kernel), nnx.Param(bias)
        self.premultiplier = nnx.Variable(premultiplier)
        self.activation, self.kind = activation, kind

    @property
    def count(self) -> int:
        return int(self.kernel.shape[0])

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (SITES,) if self.kind == "read-in" else (CHANNELS, SITES)

    @property
    def output_shape(self) -> tuple[int, ...]:
        outputs = self.kernel.shape[1]
        return (outputs,) if self.kind == "read-out" else (outputs, SITES)

    @property
    def weights(self) -> dict[str, jax.Array]:
        return {"kernel": self.kernel[...], "bias": self.bias[...]}

    def with_weights(self, weights: dict[str, jax.Array]) -> Convolution:
        parts = weights["kernel"], weights["bias"], self.premultiplier[...]
        return Convolution(*parts, self.activation, self.kind)

    def __call__(self, z: jax.Array) -> jax.Array:
        parts = self.kernel[...], self.bias[...], self.premultiplier[...].reshape(self.kernel.shape[:-3])
        return self._layer(*parts, z) if parts[0].ndim == 3 else jax.vmap(self._layer)(*parts, z)

    def _layer(self, kernel: jax.Array, bias: jax.Array, scale: jax.Array, z: jax.Array) -> jax.Array:
        phi = ACTIVATIONS[self.activation](z.reshape(len(z), -1, SITES))
        if self.kind == "read-out":
            return scale * (jnp.einsum("bcs,ocs->bo", phi, kernel) + bias[None])
        near = jnp.stack([jnp.roll(phi, KERNEL // 2 - k, axis=-1) for k in range(KERNEL)], -1)
        mu = scale * (jnp.einsum("bcsk,ock->bos", near, kernel) + bias[None, :, None])
        return mu + z if self.kind == "hidden" else mu

    def maps(self) -> jax.Array:
        """The layers' Jacobians at zero: they are affine where the activation is linear."""

        def of(layer: Convolution) -> jax.Array:
            zero = jnp.zeros(self.input_shape, self.kernel[...].dtype)
            jacobian = jax.jacfwd(lambda z: layer(z[None])[0].ravel())(zero)
            return jacobian.reshape(jacobian.shape[0], -1)

        return jnp.stack([of(jax.tree.map(lambda leaf, i=i: leaf[i], self)) for i in range(self.count)])


def convolutional(depth: int = 5, activation: str = "tanh", loss: str = "mse", precision: float = 1.0, **options: Any):
    """A random network of this architecture with 3 outputs; `options`: seed, dtype."""
    rng, dtype = np.random.default_rng(options.get("seed", 0)), options.get("dtype", "float64")

    def stage(count: int, outputs: int, inputs: int, size: int, phi: str, kind: str) -> Convolution:
        kernel = rng.standard_normal((count, outputs, inputs, size)) / np.sqrt(inputs * size)
        bias = 0.3 * rng.standard_normal((count, outputs))
        scale = np.full((count, 1, 1, 1), 0.7)
        return Convolution(*(jnp.asarray(part, dtype) for part in (kernel, bias, scale)), phi, kind)

    stages = [stage(1, CHANNELS, 1, KERNEL, "linear", "read-in")]
    if depth > 2:
        stages.append(stage(depth - 2, CHANNELS, CHANNELS, KERNEL, activation, "hidden"))
    stages.append(stage(1, 3, CHANNELS, SITES, activation, "read-out"))
    return Network(stages, jnp.asarray(precision, dtype), loss)


def batch(count: int = 4, seed: int = 1, dtype: str = "float64") -> tuple[jax.Array, jax.Array]:
    """Inputs (B, 6) and targets (B, 3)."""
    rng = np.random.default_rng(seed)
    return tuple(jnp.asarray(rng.standard_normal((count, size)), dtype) for size in (SITES, 3))  # type: ignore[return-value]
