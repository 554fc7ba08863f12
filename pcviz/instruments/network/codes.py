"""Numbers as bytes for the screen: 0 stays 0, all else keeps its sign and the logarithm of its magnitude."""

import numpy as np

from pcviz.instruments.network.options import DECADES, LEAST

LEVELS = 127
"""Codes of one sign: 1 … LEVELS, of the other: 128 + 1 … 128 + LEVELS."""


def encoded(values: np.ndarray) -> np.ndarray:
    """Codes, uint8: 0 for an exact zero, else 1 to 127 by the logarithm of the magnitude from LEAST on (smaller and
    greater ones get the ends, as do those that are no number), plus 128 for negative values. A code is off by 14 % of
    the value at most."""
    magnitude = np.nan_to_num(np.abs(np.asarray(values, np.float64)), nan=np.inf, posinf=np.inf)
    with np.errstate(divide="ignore"):
        level = 1 + np.round((LEVELS - 1) * (np.log10(magnitude) - np.log10(LEAST)) / DECADES)
    code = np.where(magnitude > 0, np.clip(level, 1, LEVELS), 0) + 128 * (np.asarray(values) < 0)
    return code.astype(np.uint8)


def folded(values: np.ndarray, most: int) -> np.ndarray:
    """The last axis folded to at most `most` cells, each with the number of greatest magnitude among neighbours."""
    size = values.shape[-1]
    if size <= most:
        return values
    groups = np.array_split(np.arange(size), most)
    return np.stack([_greatest(values[..., group]) for group in groups], -1)


def _greatest(values: np.ndarray) -> np.ndarray:
    place = np.abs(values).argmax(-1)
    return np.take_along_axis(values, place[..., None], -1)[..., 0]
