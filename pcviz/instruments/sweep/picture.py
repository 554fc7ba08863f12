"""What the panels of a sweep draw, from the cells measured so far."""

import math
from collections.abc import Sequence

import numpy as np

from pcviz.frames import Value
from pcviz.instruments.sweep.grid import Cells, Summary, as_good, best, grid, summary
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES

RANGE = 100.0
"""Losses more than so many times the least are all drawn alike: what nearly diverged would hide every difference."""


def values(options: Options, cells: Cells) -> dict[str, Value]:
    """The channels of a frame."""
    found: dict[str, Value] = {"sweep_diverged": float(sum(measured["diverged"] for _, measured in cells))}
    for name in () if options.samples else QUANTITIES:  # random cells have no grid
        found |= _of(name, options, cells)
    return found


def _of(name: str, options: Options, cells: Cells) -> dict[str, Value]:
    axes = options.axes
    own = summary(grid(axes, cells, name), name)
    own = Summary(*(_in_three(array) for array in own))
    lost = np.isinf(own.middle)
    chosen = _best_of_third(own, name)
    y = chosen.middle.shape[1]
    spots, ends = np.full(y, np.nan), np.full((2, y), np.nan)
    for row in range(y):
        if np.isnan(own.middle[:, row]).any():  # what is not measured yet may be better
            continue
        if (at := best(chosen.middle[:, row], name)) is not None:
            good = np.flatnonzero(as_good(chosen.middle[:, row], name))
            spots[row], ends[:, row] = at[0], (good[0], good[-1])
    at = best(own.middle, name)
    numbers = axes[0].numbers if axes else ()
    best_value = math.nan if at is None else float(own.middle[at])
    most = best_value * RANGE if QUANTITIES[name].log else math.inf
    found: dict[str, Value] = {
        "": _blocks(_finite(own.middle)),
        "_shade": _blocks(np.minimum(_finite(own.middle), most)),
        "_curve": _within(chosen.middle, most),
        "_low": _within(chosen.low, most),
        "_high": _within(chosen.high, most),
        "_at": spots,
        "_from": ends[0],
        "_to": ends[1],
        "_drift": _drift(numbers, spots),
    }
    told = {f"sweep_{name}{part}": value for part, value in found.items()}
    return told | {"sweep_lost": _blocks(np.where(lost, 0.0, np.nan))}


def _in_three(array: np.ndarray) -> np.ndarray:
    """Dimensions (X, Y, O), with further ones in O."""
    shape = (*array.shape, 1, 1)
    return array.reshape(*shape[:2], math.prod(shape[2:]))


def _blocks(array: np.ndarray) -> np.ndarray:
    """(Y, C): the planes of all values of the third option beside each other."""
    x, y, third = array.shape
    padded = np.full((y, third, x + 1), np.nan)
    padded[..., :x] = array.transpose(1, 2, 0)
    return padded.reshape(y, -1)[:, :-1]


def _best_of_third(own: Summary, name: str) -> Summary:
    """(X, Y), each with the best value of the third option."""
    sign = 1 if QUANTITIES[name].small_is_good else -1
    order = np.where(np.isnan(own.middle), np.inf, sign * own.middle)
    at = order.argmin(-1)[..., None]
    return Summary(*(np.take_along_axis(array, at, -1)[..., 0] for array in own))


def _finite(array: np.ndarray) -> np.ndarray:
    return np.where(np.isinf(array), np.nan, array)


def _within(array: np.ndarray, most: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(array) | (array > most), np.nan, array)


def _drift(numbers: Sequence[float], spots: np.ndarray) -> float:
    """Decades between the least and the greatest best value; NaN where fewer than two are known."""
    known = spots[~np.isnan(spots)].astype(int)
    if len(known) < 2 or not numbers or min(numbers) <= 0:
        return math.nan
    there = np.log10([numbers[place] for place in known])
    return float(there.max() - there.min())
