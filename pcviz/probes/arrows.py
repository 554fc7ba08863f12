"""Arrows down a surface that is known on a grid."""

import numpy as np

REACH = 0.8
"""Length of an arrow as a share of the distance between two arrows."""
BARB, SPREAD = 0.35, 0.45
"""Length of an arrowhead's lines as a share of the arrow, and their slope to it."""


def arrows(x: np.ndarray, y: np.ndarray, heights: np.ndarray, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Arrows of equal length against the slope of `heights` (rows y, columns x), as one broken line.

    The slope is that of the picture, both axes scaled to its sides: an arrow stands at right angles to the contours
    of the picture. One arrow for each `every`-th point; none where the slope vanishes or a neighbour is unknown.
    Returns the coordinates of a line (E,) with NaN between arrows.
    """
    if len(x) < 2 or len(y) < 2:
        return np.zeros(0), np.zeros(0)
    slope_y, slope_x = np.gradient(heights)
    rows, columns = np.meshgrid(np.arange(0, len(y), every), np.arange(0, len(x), every), indexing="ij")
    down = -np.stack([slope_x[rows, columns], slope_y[rows, columns]], -1).reshape(-1, 2)
    norms = np.linalg.norm(down, axis=1)
    drawn = np.isfinite(norms) & (norms > 0)
    along = down[drawn] / norms[drawn, None] * REACH * every
    tail = np.stack([columns, rows], -1).reshape(-1, 2)[drawn] - along / 2
    tip = tail + along
    across = np.stack([-along[:, 1], along[:, 0]], -1) * SPREAD
    left, right = (tip - BARB * (along + sign * across) for sign in (1, -1))
    gap = np.full_like(tip, np.nan)
    line = np.stack([tail, tip, left, tip, right, gap], 1).reshape(-1, 2)
    cell_x, cell_y = (x[-1] - x[0]) / (len(x) - 1), (y[-1] - y[0]) / (len(y) - 1)
    return x[0] + line[:, 0] * cell_x, y[0] + line[:, 1] * cell_y
