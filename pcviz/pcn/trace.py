"""Recording a relaxation inside a compiled loop: some of its states, in a buffer of fixed size."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.frames import TRACE_ROWS


class Trace(NamedTuple):
    """`energies` (R, L) and `updates` (R, H) of the recorded states, float64; `row`, the next to be written; `update`
    (H,), the rms step that led to the present state."""

    energies: jax.Array
    updates: jax.Array
    row: jax.Array
    update: jax.Array


def empty_trace(depth: int) -> Trace:
    """A trace without rows."""
    return Trace(
        jnp.zeros((TRACE_ROWS, depth)),
        jnp.zeros((TRACE_ROWS, depth - 1)),
        jnp.zeros((), jnp.int32),
        jnp.zeros(depth - 1),
    )


def padded_rows(steps: np.ndarray) -> np.ndarray:
    """The inference steps to record as a buffer of fixed size: (R,) int32, -1 behind the last."""
    return np.concatenate([steps, np.full(TRACE_ROWS - len(steps), -1)]).astype(np.int32)


def record(trace: Trace, rows: jax.Array, t: jax.Array, energies: jax.Array) -> Trace:
    """Write the state at step t; it stays if t is the next wanted of `rows`, else the following state overwrites it.

    A loop without branches: writing a row of L numbers is cheaper than deciding whether to.
    """
    return trace._replace(
        energies=trace.energies.at[trace.row].set(energies, mode="drop"),
        updates=trace.updates.at[trace.row].set(trace.update, mode="drop"),
        row=trace.row + (rows[jnp.minimum(trace.row, TRACE_ROWS - 1)] == t),
    )
