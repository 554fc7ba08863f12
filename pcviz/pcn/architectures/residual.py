"""Residual blocks of two layers with auxiliary neurons on the skip (Qi et al. 2025; theory.md 5.6).

A hidden layer holds N neurons A on the main path and N neurons B on the skip beside it, (2, N). With the output h of
the block before, or of the read-in, and two auxiliary neurons on each skip:

    first layer:   A1 = a W phi(h),   B1 = h         h = A2 + B2 of the block before
    second layer:  A2 = a W phi(A1),  B2 = B1

With one, A2 = a W phi(A1) + B1 is the block's output, and the B2 that is left over stays exactly 0. Auxiliary neurons
have no weights and the precision 1 / step size: so they relay their errors undiminished, and an error comes down the
skip in as many steps as on the main path.
"""

from collections.abc import Callable
from typing import Any, Self, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcviz.experiment import Experiment
from pcviz.pcn.architectures.mlp import ARCHITECTURE as fully_connected
from pcviz.pcn.architectures.mlp import Dense
from pcviz.pcn.network import Network
from pcviz.pcn.stage import Stage


class Layers(nnx.Module):
    """`count` fully connected layers `dense`, the main path, and what surrounds them."""

    precision: Any = None

    def __init__(self, dense: Dense) -> None:
        self.dense = dense

    @property
    def count(self) -> int:
        """Number of layers."""
        return self.dense.count

    @property
    def activation(self) -> str:
        """phi, by name."""
        return self.dense.activation

    @property
    def premultiplier(self) -> Any:
        """a_l, (count, 1, 1)."""
        return self.dense.premultiplier

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one activity below."""
        return self.dense.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one prediction."""
        return self.dense.output_shape

    @property
    def weights(self) -> Any:
        """Those of the main path, of which each layer has as many as a fully connected one."""
        return self.dense.weights

    def with_weights(self, weights: Any) -> Self:
        """The same layers with other weights."""
        other = jax.tree.map(lambda leaf: leaf, self)
        other.dense = self.dense.with_weights(weights)
        return other

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions from the activities below; or one layer's, without axis 0."""
        raise NotImplementedError

    def maps(self) -> jax.Array:
        """M_l of linear layers, (count, outputs, inputs) float64, of pairs one under the other."""

        def of(layer: Callable[[jax.Array], jax.Array]) -> jax.Array:
            jacobian = jax.jacfwd(lambda z: layer(z[None])[0].ravel())(jnp.zeros(self.input_shape))
            return jacobian.reshape(len(jacobian), -1).astype(jnp.float64)

        return jax.vmap(of)(self)


class Entry(Layers):
    """The first layer of the first block: from h (N,) to pairs."""

    def __init__(self, dense: Dense, precision: jax.Array) -> None:
        super().__init__(dense)
        self.precision = nnx.Variable(precision)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(2, N)."""
        return 2, *self.dense.output_shape

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (1, B, 2, N) from h, (1, B, N)."""
        return jnp.stack([self.dense(z), z], -2)


class Blocks(Layers):
    """The other layers of the blocks, from pairs to pairs; `first` (count, 1, 1) is 1 for the first layer of a block
    and 0 for the second, so that all of them are one stack."""

    def __init__(self, dense: Dense, precision: jax.Array, first: jax.Array, auxiliary: int) -> None:
        super().__init__(dense)
        self.precision, self.first = nnx.Variable(precision), nnx.Variable(first)
        self.auxiliary = auxiliary

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(2, N)."""
        return 2, *self.dense.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(2, N)."""
        return 2, *self.dense.output_shape

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (count, B, 2, N) from pairs, (count, B, 2, N)."""
        first, (main, skip) = self.first[...], (z[..., 0, :], z[..., 1, :])
        if self.auxiliary == 2:
            return jnp.stack([self.dense(main + first * skip), skip + first * main], -2)
        return jnp.stack([self.dense(main) + (1 - first) * skip, first * main], -2)


class ReadOut(Layers):
    """The last layer: from the output of the last block, the sum of a pair or, with one auxiliary neuron, its A."""

    def __init__(self, dense: Dense, auxiliary: int) -> None:
        super().__init__(dense)
        self.auxiliary = auxiliary

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(2, N)."""
        return 2, *self.dense.input_shape

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (1, B, K) from pairs, (1, B, 2, N)."""
        main = z[..., 0, :]
        return self.dense(main + z[..., 1, :] if self.auxiliary == 2 else main)


def _residual(experiment: Experiment, input_dim: int, output_dim: int) -> Network:
    """Weights and premultipliers are those of the fully connected network of the same options."""
    auxiliary, dtype = experiment.network.auxiliary, experiment.dtype
    plain = fully_connected(experiment, input_dim, output_dim)
    read_in, hidden, read_out = cast("list[Dense]", list(plain.stages))

    def main(rows: slice) -> Dense:
        dense = jax.tree.map(lambda leaf: leaf[rows], hidden)
        dense.skip = False
        return cast("Dense", dense)

    first = np.arange(3, experiment.network.depth) % 2 == 0
    relays = np.ones((hidden.count, 1, 2, 1))
    relays[:, :, 1] = 1 / experiment.inference.step_size
    if auxiliary == 1:
        relays[1:][~first] = 1
    entry, others = jnp.asarray(relays[:1], dtype), jnp.asarray(relays[1:], dtype)
    flags = jnp.asarray(first[:, None, None], dtype)
    stages: list[Stage] = [
        read_in,
        Entry(main(slice(1)), entry),
        Blocks(main(slice(1, None)), others, flags, auxiliary),
        ReadOut(read_out, auxiliary),
    ]
    return Network(stages, plain.output_precision[...], plain.loss)


ARCHITECTURE = _residual
