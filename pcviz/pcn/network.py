"""The network: a list of stages, each a stack of equal layers.

In predictive coding every error is local, so all layers of a stage are predicted by one batched call whatever the
depth, and compile time does not grow with it (architecture.md 5.1).
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from pcviz.experiment import has_closed_form
from pcviz.pcn.stacks import Activities, stacked, unstack
from pcviz.pcn.stage import Stage, is_bias


class Network(nnx.Module):
    """Stages from input to output, the output energy (`loss`: mse or ce) and its precision lambda.

    An example's input has the shape that the first stage asks for, its output is a vector (K,).
    """

    def __init__(self, stages: Sequence[Stage], output_precision: jax.Array, loss: str) -> None:
        self.stages = nnx.List(stages)
        self.output_precision = nnx.Variable(output_precision)
        self.loss = loss

    @property
    def depth(self) -> int:
        """L, the number of layers that predict."""
        return sum(stage.count for stage in self.stages)

    def __repr__(self) -> str:
        """Its shape in one line: flax would print every weight."""
        width, count = math.prod(self.stages[0].output_shape), weight_count(self)
        activation, loss = self.stages[-1].activation, self.loss
        return f"Network(depth={self.depth}, width={width}, {activation}, {loss}, {count:,} weights, {self.dtype})"

    __str__ = __repr__

    @property
    def has_closed_form(self) -> bool:
        """Whether the least energy is known in closed form."""
        plain = all(stage.precision is None for stage in self.stages)
        return plain and has_closed_form((stage.activation for stage in self.stages), self.loss)

    @property
    def has_biases(self) -> bool:
        """Whether some of its weights are biases."""
        return any(is_bias(path) for path, _ in jax.tree.leaves_with_path(stacked_weights(self)))

    @property
    def dtype(self) -> jnp.dtype:
        """Number format of weights and activities."""
        return jax.tree.leaves(self.stages[0].weights)[0].dtype

    def output(self, z: Activities) -> jax.Array:
        """The output prediction mu_L (B, K) from hidden activities z."""
        prediction: jax.Array = self.stages[-1](z[-1][-1:])[0]
        return prediction


def stacked_weights(network: Network) -> tuple[Any, ...]:
    """The weights as they are stored: for each stage an array (count, N_out, N_in), or the tree of its architecture
    (with biases {"weight": (count, N_out, N_in), "bias": (count, N_out)})."""
    return tuple(stage.weights for stage in network.stages)


def replaced(network: Network, weights: Sequence[Any]) -> Network:
    """The same network with other weights, as `stacked_weights` gives them."""
    stages = [stage.with_weights(own) for stage, own in zip(network.stages, weights, strict=True)]
    return Network(stages, network.output_precision[...], network.loss)


def as_float64(network: Network) -> Network:
    """The same network in float64."""
    return jax.tree.map(lambda p: jnp.asarray(p, jnp.float64), network)


def with_precision(network: Network, precision: float | jax.Array) -> Network:
    """The same network with another output precision lambda."""
    return Network(list(network.stages), jnp.full_like(network.output_precision[...], precision), network.loss)


def weights(network: Network) -> list[Any]:
    """W_1 … W_L, each (N_l, N_{l-1}) or the tree of its architecture (with biases {"weight": (N_l, N_{l-1}), "bias":
    (N_l,)}), premultipliers not folded in."""
    return unstack(stacked_weights(network))


def with_weights(network: Network, layers: Sequence[Any]) -> Network:
    """The same network with the weights W_1 … W_L, each shaped as in `weights`.

    Raises ValueError where their number or a shape does not fit.
    """
    own = [jax.tree.map(lambda leaf: leaf.shape[1:], s.weights) for s in network.stages for _ in range(s.count)]
    if len(layers) != network.depth:
        raise ValueError(f"{network.depth} weight matrices needed, {len(layers)} given")
    for number, (layer, needed) in enumerate(zip(layers, own, strict=True), 1):
        if (shape := jax.tree.map(np.shape, layer)) != needed:
            raise ValueError(f"W_{number} has shape {shape}, needed is {needed}")
    return replaced(network, stacked(layers, [stage.count for stage in network.stages], network.dtype))


def weight_count(network: Network) -> int:
    """P, the number of weights."""
    return sum(leaf.size for leaf in jax.tree.leaves(stacked_weights(network)))


def flat_weights(network: Network) -> np.ndarray:
    """All weights as one vector (P,), stage after stage, in the network's number format."""
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(stacked_weights(network))])


def with_flat_weights(network: Network, flat: jax.Array) -> Network:
    """The same network with the weights `flat` (P,), whatever their number format."""
    leaves, tree = jax.tree.flatten(stacked_weights(network))
    edges = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = zip(jnp.split(flat, edges), leaves, strict=True)
    return replaced(network, jax.tree.unflatten(tree, [part.reshape(leaf.shape) for part, leaf in parts]))


def premultipliers(network: Network) -> np.ndarray:
    """a_1 … a_L as float64, (L,)."""
    return np.concatenate([np.asarray(stage.premultiplier[...], np.float64).ravel() for stage in network.stages])
