"""Means over seeds and exponents of power laws, with 95 % intervals."""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit


class Mean(NamedTuple):
    """A mean over seeds and the ends of its 95 % interval (Student's); NaN: no value, or one only."""

    middle: float
    low: float
    high: float


def mean(values: Sequence[float], *, log: bool = False) -> Mean:
    """The mean of what is known; the geometric one if `log`."""
    known = np.array([value for value in values if not math.isnan(value)], float)
    if not len(known):
        return Mean(math.nan, math.nan, math.nan)
    scaled = np.log(known) if log else known
    middle, half = float(scaled.mean()), math.nan
    if len(known) > 1 and np.isfinite(scaled).all():
        half = float(stdtrit(len(known) - 1, 0.975) * scaled.std(ddof=1) / math.sqrt(len(known)))
    ends = (middle, middle - half, middle + half)
    return Mean(*(math.exp(end) if log else end for end in ends))


class Exponent(NamedTuple):
    """The exponent, its 95 % interval (None where residuals leave no degree of freedom) and the points used."""

    value: float
    interval: tuple[float, float] | None
    points: int


def fit(depths: Sequence[float], budgets: Sequence[float], kinds: Sequence[Hashable]) -> Exponent | None:
    """p of budget = c_kind L^p by least squares on logarithms, one c for each kind of network.

    The interval is Student's, residuals taken as independent and of one size. None where no kind has two depths.
    """
    rows = {kind: [i for i, k in enumerate(kinds) if k == kind] for kind in dict.fromkeys(kinds)}
    x, y = np.log(np.asarray(depths, float)), np.log(np.asarray(budgets, float))
    for members in rows.values():
        x[members] -= x[members].mean()
        y[members] -= y[members].mean()
    spread = x @ x
    if spread < 1e-12:
        return None
    value = x @ y / spread
    freedom = len(x) - len(rows) - 1
    if freedom < 1:
        return Exponent(float(value), None, len(x))
    residual = y - value * x
    half = stdtrit(freedom, 0.975) * np.sqrt(residual @ residual / freedom / spread)
    return Exponent(float(value), (float(value - half), float(value + half)), len(x))
