"""Recording a relaxation inside a compiled loop: some of its states, in a buffer of fixed size."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short


@short
class Trace(NamedTuple):
    """`rows` (R + 1, L + H) float64: energies of the recorded states, and mean squares of the steps that led to them
    (and a spare row after the last); `row`, the next to be written; `update` (H,), the mean square of the step that led
    to the present state. Squares, because their mean over shards is that of the batch."""

    rows: jax.Array
    row: jax.Array
    update: jax.Array


def empty_trace(depth: int, rows: int) -> Trace:
    """A trace without rows, with room for `rows`."""
    return Trace(jnp.zeros((rows + 1, 2 * depth - 1)), jnp.zeros((), jnp.int32), jnp.zeros(depth - 1))


def padded_rows(steps: np.ndarray, rows: int) -> np.ndarray:
    """The inference steps to record as a buffer of fixed size: (rows + 1,) int32, -1 after the last."""
    return np.concatenate([steps, np.full(rows + 1 - len(steps), -1)]).astype(np.int32)


def record(trace: Trace, rows: jax.Array, t: jax.Array, energies: jax.Array) -> Trace:
    """Write the state at step t; it stays if t is the next step in `rows`, else the following state overwrites it.

    A loop without branches: writing a row of L numbers is cheaper than deciding whether to.
    """
    entry = jnp.concatenate([energies, trace.update])[None]
    written = jax.lax.dynamic_update_slice_in_dim(trace.rows, entry, trace.row, 0)
    return trace._replace(rows=written, row=trace.row + (rows[trace.row] == t))


def recorded(trace: Trace, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` recorded states: energies (count, L) and rms updates (count, H), float64."""
    rows = np.asarray(trace.rows)[:count]
    depth = (rows.shape[1] + 1) // 2
    return rows[:, :depth], np.sqrt(rows[:, depth:])
