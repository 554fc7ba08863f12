"""The cells of a sweep as a grid: one axis for each option that varies, seeds last."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from scipy.special import stdtrit

from pcviz.brief import short
from pcviz.experiment.axes import SEED, Axis
from pcviz.experiment.spelling import is_plain_number
from pcviz.instruments.sweep.quantities import QUANTITIES

NEAR = 0.1
"""What is within this share of the best value is as good as the best."""
Cells: TypeAlias = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
"""Of every cell the options that vary, and what was measured."""


@short
class Grid(NamedTuple):
    """`axes` without seeds, and `values` of a quantity (…, S), one dimension for each axis and S seeds: NaN where it
    was not measured, infinite where a cell diverged."""

    axes: tuple[Axis, ...]
    values: np.ndarray

    @property
    def seeds(self) -> np.ndarray:
        """Seeds measured of each point."""
        return (~np.isnan(self.values)).sum(-1)


@short
class Summary(NamedTuple):
    """Of every point of a grid: the `middle` over seeds and the ends of its 95 % interval, NaN where there are none."""

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def grid(axes: Sequence[Axis], cells: Cells, quantity: str) -> Grid:
    """The grid of a quantity."""
    order = sorted(axes, key=lambda each: each.path == SEED)
    if not order or order[-1].path != SEED:
        order.append(Axis(SEED, (None,)))
    values = np.full([len(each.values) for each in order], np.nan)
    places = [{_key(value): index for index, value in enumerate(each.values)} for each in order]
    for changes, measured in cells:
        at = tuple(place[_key(changes.get(each.path))] for each, place in zip(order, places, strict=True))
        values[at] = measured[quantity]
    return Grid(tuple(order[:-1]), values)


def _key(value: Any) -> Any:
    """A value as it is compared: some options hold numbers as text."""
    if isinstance(value, bool) or value is None:
        return value
    return float(value) if is_plain_number(str(value)) else value


def summary(found: Grid, quantity: str) -> Summary:
    """Mean and 95 % interval over seeds (Student's), of logarithms where the quantity has a logarithmic scale; where a
    seed diverged, the middle is infinite."""
    log = QUANTITIES[quantity].log
    values, count = found.values, found.seeds
    with np.errstate(all="ignore"):
        scaled = np.log(values) if log else values
        known = ~np.isnan(values)
        total = np.where(known, scaled, 0).sum(-1)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        spread = np.where(known, scaled - mean[..., None], 0)
        error = np.sqrt((spread**2).sum(-1) / np.maximum(count - 1, 1) / np.maximum(count, 1))
        wide = np.where((count > 1) & np.isfinite(mean), stdtrit(np.maximum(count - 1, 1), 0.975) * error, np.nan)
        ends = mean, mean - wide, mean + wide
        return Summary(*(np.exp(end) if log else end for end in ends))


def best(middle: np.ndarray, quantity: str) -> tuple[int, ...] | None:
    """Where the quantity is best; None where nothing finite was measured."""
    cost = middle if QUANTITIES[quantity].small_is_good else -middle
    finite = np.where(np.isfinite(cost), cost, np.inf)
    return tuple(map(int, np.unravel_index(finite.argmin(), cost.shape))) if np.isfinite(finite).any() else None


def as_good(middle: np.ndarray, quantity: str) -> np.ndarray:
    """Which points are within NEAR of the best."""
    at = best(middle, quantity)
    if at is None:
        return np.zeros(middle.shape, bool)
    good: np.ndarray
    if QUANTITIES[quantity].small_is_good:
        good = middle <= middle[at] * (1 + NEAR)
    else:
        good = middle >= middle[at] * (1 - NEAR)
    return good
