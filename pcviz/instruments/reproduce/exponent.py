"""Exponents of power laws in depth, with intervals."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student


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
    half = student.ppf(0.975, freedom) * np.sqrt(residual @ residual / freedom / spread)
    return Exponent(float(value), (float(value - half), float(value + half)), len(x))
