"""Inputs and targets as callers pass them, checked before JAX sees them.

Without the checks a target of one row would be repeated for the whole batch, and the hidden energies silently be wrong.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.pcn.network import Network

Given = Any
"""Anything that converts to an array: an array of NumPy or JAX, or a list of numbers."""


def as_inputs(network: Network, x: Given, dtype: Any = None) -> jax.Array:
    """Inputs x (B, D) in the network's number format or `dtype`. Raises ValueError in one line: what is allowed."""
    shape = network.stages[0].input_shape
    wanted = f"(B, {', '.join(map(str, shape))}), a row for each example"
    array = _numbers("x", x, wanted)
    if not array.shape or array.shape[1:] != shape or not array.shape[0]:
        raise ValueError(f"x: has shape {array.shape} (wanted: {wanted})")
    return jnp.asarray(array, dtype or network.dtype)


def as_batch(network: Network, x: Given, y: Given, dtype: Any = None) -> tuple[jax.Array, jax.Array]:
    """Inputs x (B, D) and targets y (B, K) in the network's number format or `dtype`; y may be classes, (B,) of an
    integer type, if K ≥ 2. Raises ValueError in one line, with what is allowed."""
    inputs = as_inputs(network, x, dtype)
    count, outputs = inputs.shape[0], network.stages[-1].output_shape[0]
    wanted = f"({count}, {outputs}), a row for each example of x"
    if outputs > 1:
        wanted += f", or ({count},) classes from 0 to {outputs - 1} of an integer type"
    array = _numbers("y", y, wanted)
    if array.shape == (count,) and outputs > 1 and jnp.issubdtype(array.dtype, jnp.integer):
        array = _one_hot(array, outputs)
    if array.shape != (count, outputs):
        raise ValueError(f"y: has shape {array.shape} and type {array.dtype} (wanted: {wanted})")
    return inputs, jnp.asarray(array, dtype or network.dtype)


def _numbers(name: str, given: Given, wanted: str) -> Any:
    """`given` as an array of finite numbers. Traced arrays have no values to check and are returned as they are."""
    if isinstance(given, jax.core.Tracer):
        return given
    try:
        array = given if isinstance(given, jax.Array) else np.asarray(given)
    except ValueError as error:
        raise ValueError(f"{name}: has rows of different lengths (wanted: shape {wanted})") from error
    if not any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.bool_, jnp.integer, jnp.floating)):
        raise ValueError(f"{name}: holds values of type {array.dtype} (wanted: real numbers of shape {wanted})")
    if not np.isfinite(np.asarray(array)).all():  # JAX would compile that for every shape
        raise ValueError(f"{name}: holds NaN or infinity (wanted: finite numbers)")
    return array


def _one_hot(classes: Any, outputs: int) -> np.ndarray:
    array = np.asarray(classes)
    if array.min() < 0 or array.max() >= outputs:
        raise ValueError(f"y: holds class {array[(array < 0) | (array >= outputs)][0]} (allowed: 0 to {outputs - 1})")
    return np.eye(outputs)[array]
