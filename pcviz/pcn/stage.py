"""The parts of a network: stages, each a stack of equal layers of any kind."""

from typing import Any, Protocol, Self

import jax

BIAS = "bias"
"""Name of the biases among the weights of a stage."""


class Stage(Protocol):
    """`count` equal layers mu_l = f(z_{l-1}) with stacked parameters: the first axis of every leaf is that of layers.

    `input_shape` and `output_shape` are those of one activity below and of one prediction, without layers and batch; in
    a stage of several layers they are the same. A stage is a JAX tree: a slice of its first axis is a stage of fewer
    layers, and an entry of that axis is one layer.
    """

    @property
    def activation(self) -> str:
        """phi, by name."""

    @property
    def premultiplier(self) -> Any:
        """a_l, (count, 1, …)."""

    @property
    def precision(self) -> Any:
        """How much each error counts in the energy: None if all count alike, else an array that broadcasts against the
        errors, (count, 1, *output_shape), and is 1 where predictions have weights. That of the output is the network's.
        """

    @property
    def count(self) -> int:
        """Number of layers."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one activity below."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one prediction."""

    @property
    def weights(self) -> Any:
        """What is learned: an array (count, ...), or a tree of such arrays, each with two axes or more. Biases are the
        leaves named `BIAS`."""

    def with_weights(self, weights: Any) -> Self:
        """The same layers with other weights."""

    def __call__(self, z: jax.Array) -> jax.Array:
        """Predictions (count, B, *output_shape) from the activities below, (count, B, *input_shape); or one layer's,
        without the first axis of stage and activities."""

    def maps(self) -> jax.Array:
        """The layer maps M_l of linear layers, (count, outputs, inputs), float64."""


def is_bias(path: tuple[Any, ...]) -> bool:
    """Whether the leaf at this path in a tree of weights holds biases."""
    return getattr(path[-1], "key", None) == BIAS if path else False


def without_biases(weights: Any) -> list[Any]:
    """The other leaves of a tree of weights: of fully connected layers the one matrix."""
    return [leaf for path, leaf in jax.tree.leaves_with_path(weights) if not is_bias(path)]


def weighed(stage: Stage, errors: jax.Array) -> jax.Array:
    """The errors of a stage's layers times their precisions: the energy's gradient in the activities' own errors."""
    if stage.precision is None:
        return errors
    weighed: jax.Array = stage.precision[...] * errors
    return weighed
