"""How many eigenvalues lie below a number: the spectrum of large block tridiagonal matrices as a histogram.

By Sylvester's law of inertia a matrix minus a shift has as many negative pivots as the matrix has eigenvalues below the
shift. Block elimination costs O(H N³) for each shift, where all eigenvalues cost O(H² N³).
"""

import numpy as np
from scipy.linalg.lapack import dsytrf

from pcviz.numerics.blocktridiagonal import Blocks


def count_below(matrix: Blocks, shift: float) -> int:
    """Number of eigenvalues of one example's matrix, (H, N, N) and (H - 1, N, N), that are below `shift`."""
    diagonal, lower = (np.asarray(part, np.float64) for part in matrix)
    moved = diagonal - shift * np.eye(diagonal.shape[-1])
    pivot, count = moved[0], _negative(moved[0])
    for own, below in zip(moved[1:], lower, strict=True):
        pivot = own - below @ np.linalg.solve(pivot, below.T)
        count += _negative(pivot)
    return count


def _negative(pivot: np.ndarray) -> int:
    """Negative eigenvalues of a symmetric matrix: of Bunch and Kaufman's factors, whose 2 × 2 blocks hold one each."""
    factors, order, _ = dsytrf((pivot + pivot.T) / 2, lower=1)
    single = order > 0
    return int(np.sum(np.diag(factors)[single] < 0)) + int(np.sum(~single)) // 2


def bin_edges(smallest: float, largest: float, bins: int) -> np.ndarray:
    """Edges of `bins` bins, equal on a logarithmic scale, that hold the positive part of a spectrum: (bins + 1,)."""
    low = smallest if smallest > 0 else largest * 1e-6
    return np.geomspace(low * (1 - 1e-9), max(largest, low * 1.01) * (1 + 1e-9), bins + 1)
