"""How many eigenvalues lie below a number: the spectrum of large block tridiagonal matrices as a histogram.

By Sylvester's law of inertia a matrix minus a shift has as many negative pivots as the matrix has eigenvalues below the
shift. Block elimination costs O(H N³) for each shift, where all eigenvalues cost O(H² N³).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.probes.blocktridiagonal import Blocks


@jax.jit
def count_below(matrix: Blocks, shift: jax.Array) -> jax.Array:
    """Number of eigenvalues of one example's matrix, (H, N, N) and (H - 1, N, N), that are below `shift`."""
    moved = matrix.diagonal - shift * jnp.eye(matrix.diagonal.shape[-1])

    def eliminate(above: jax.Array, block: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        own, lower = block
        pivot = own - lower @ jnp.linalg.solve(above, lower.T)
        pivot = (pivot + pivot.T) / 2
        return pivot, _negative(pivot)

    first = moved[0]
    _, counts = jax.lax.scan(eliminate, first, (moved[1:], matrix.lower))
    return _negative(first) + jnp.sum(counts)


def _negative(pivot: jax.Array) -> jax.Array:
    return jnp.sum(jnp.linalg.eigvalsh(pivot) < 0)


def bin_edges(smallest: float, largest: float, bins: int) -> np.ndarray:
    """Edges of `bins` bins, equal on a logarithmic scale, that hold the positive part of a spectrum: (bins + 1,)."""
    low = smallest if smallest > 0 else largest * 1e-6
    return np.geomspace(low * (1 - 1e-9), max(largest, low * 1.01) * (1 + 1e-9), bins + 1)
