"""The network: a list of stages, each a stack of identical layers.

In predictive coding every error is local, so all layers of a stage are predicted by one batched call whatever the
depth, and compile time does not grow with it (architecture.md 5.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcviz.experiment import Experiment, has_closed_form
from pcviz.experiment import Network as NetworkOptions
from pcviz.pcn.activations import ACTIVATIONS
from pcviz.pcn.parameterisation import initial_weights
from pcviz.pcn.parameterisation import premultipliers as premultipliers_of

Activities = tuple[jax.Array, ...]
"""Activities (or errors) of stages, input side first: one array (count, B, N) for each."""


def unstack(stacks: Activities) -> list[jax.Array]:
    """One array for each layer."""
    return [layer for stack in stacks for layer in stack]


class Stage(nnx.Module):
    """`count` identical layers mu = a W phi(z) + tau z, parameters stacked on a leading axis.

    `weight` (count, N_out, N_in), `premultiplier` (count, 1, 1); `activation` by name; `skip` is tau.
    """

    def __init__(self, weight: jax.Array, premultiplier: jax.Array, activation: str, skip: bool) -> None:
        self.weight = nnx.Param(weight)
        self.premultiplier = nnx.Variable(premultiplier)
        self.activation = activation
        self.skip = skip

    @property
    def count(self) -> int:
        """Number of layers."""
        return int(self.weight.shape[0])

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (count, B, N_out) from the activities below, (count, B, N_in); or one layer's, without axis 0."""
        # The premultiplier goes with the weight: constant during a relaxation, the product leaves the compiled loop.
        weight = self.premultiplier[...] * self.weight[...]
        mu = jnp.einsum("...bi,...oi->...bo", ACTIVATIONS[self.activation](z), weight)
        return mu + z if self.skip else mu


class Network(nnx.Module):
    """Stages from input to output, the output energy (`loss`: mse or ce) and its precision lambda."""

    def __init__(self, stages: Sequence[Stage], output_precision: jax.Array, loss: str) -> None:
        self.stages = nnx.List(stages)
        self.output_precision = nnx.Variable(output_precision)
        self.loss = loss

    @property
    def depth(self) -> int:
        """L, the number of weight matrices."""
        return sum(stage.count for stage in self.stages)

    def __repr__(self) -> str:
        """Its shape in one line: flax would print every weight."""
        width, count = self.stages[0].weight.shape[1], sum(stage.weight.size for stage in self.stages)
        activation, loss = self.stages[-1].activation, self.loss
        return f"Network(depth={self.depth}, width={width}, {activation}, {loss}, {count:,} weights, {self.dtype})"

    __str__ = __repr__

    @property
    def has_closed_form(self) -> bool:
        """Whether the least energy is known in closed form."""
        return has_closed_form((stage.activation for stage in self.stages), self.loss)

    @property
    def dtype(self) -> jnp.dtype:
        """Number format of weights and activities."""
        return self.stages[0].weight.dtype


@partial(jax.jit, static_argnames=("options", "input_dim", "output_dim", "dtype"))
def _mlp(options: NetworkOptions, seed: jax.Array, input_dim: int, output_dim: int, dtype: str) -> Network:
    depth, width = options.depth, options.width
    scales = premultipliers_of(options, input_dim)
    read_in = (range(1, 2), (width, input_dim), "linear", False)
    hidden = (range(2, depth), (width, width), options.activation, options.skips)
    read_out = (range(depth, depth + 1), (output_dim, width), options.activation, False)

    def stage(layers: range, shape: tuple[int, int], activation: str, skip: bool) -> Stage:
        weight = initial_weights(options, seed, layers, shape).astype(dtype)
        scale = jnp.array([scales[layer - 1] for layer in layers], dtype)[:, None, None]
        return Stage(weight, scale, activation, skip)

    stages = [stage(*spec) for spec in (read_in, hidden, read_out) if len(spec[0])]
    return Network(stages, jnp.array(options.output_precision, dtype), options.loss)


def build(experiment: Experiment, input_dim: int | None = None, output_dim: int | None = None) -> Network:
    """A freshly initialised network; dimensions default to those of the experiment's data set.

    Raises RuntimeError if float64 is asked for after 64-bit types were switched off.
    """
    if experiment.dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise RuntimeError("dtype float64 needs jax_enable_x64, which was switched off after importing pcviz.pcn")
    facts = experiment.data.facts
    return _mlp(
        experiment.network,
        experiment.seed,
        facts.input_dim if input_dim is None else input_dim,
        facts.output_dim if output_dim is None else output_dim,
        experiment.dtype,
    )


def weights(network: Network) -> list[jax.Array]:
    """W_1 … W_L, each (N_l, N_{l-1}), premultipliers not folded in."""
    return [matrix for stage in network.stages for matrix in stage.weight[...]]


def premultipliers(network: Network) -> np.ndarray:
    """a_1 … a_L as float64, (L,)."""
    return np.concatenate([np.asarray(stage.premultiplier[...], np.float64).ravel() for stage in network.stages])


def skip_flags(network: Network) -> np.ndarray:
    """tau_1 … tau_L, 0 or 1, (L,)."""
    return np.concatenate([np.full(stage.count, int(stage.skip)) for stage in network.stages])


def with_weights(network: Network, matrices: Sequence[np.ndarray | jax.Array]) -> Network:
    """The same network with the weights W_1 … W_L, each (N_l, N_{l-1}).

    Raises ValueError where their number or a shape does not fit.
    """
    if len(matrices) != network.depth:
        raise ValueError(f"{network.depth} weight matrices needed, {len(matrices)} given")
    stages, first = [], 0
    for stage in network.stages:
        group = matrices[first : first + stage.count]
        for offset, matrix in enumerate(group):
            if np.shape(matrix) != stage.weight.shape[1:]:
                name = f"W_{first + offset + 1}"
                raise ValueError(f"{name} has shape {np.shape(matrix)}, needed is {stage.weight.shape[1:]}")
        stacked = jnp.stack([jnp.asarray(matrix, network.dtype) for matrix in group])
        stages.append(Stage(stacked, stage.premultiplier[...], stage.activation, stage.skip))
        first += stage.count
    return Network(stages, network.output_precision[...], network.loss)
