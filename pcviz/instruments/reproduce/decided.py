"""What means over seeds become: curves, and values of claims that they decide."""

import math
from collections.abc import Sequence

from pcviz.instruments.reproduce.statistics import Mean
from pcviz.instruments.reproduce.study import Curve


def curve_of(name: str, means: Sequence[Mean], above: Sequence[float] = (), reference: Sequence[float] = ()) -> Curve:
    """The curve of these means, one for each place."""
    middle, low, high = ([each[part] for each in means] for part in range(3))
    return Curve(name, middle, low, high, above, reference)


def within(seen: Mean, *, least: float = -math.inf, most: float = math.inf) -> bool | None:
    """Whether what was seen lies between `least` and `most`; None where it is not known, or outside but by so little
    that its interval reaches in. Without an interval the value alone decides."""
    if math.isnan(seen.middle):
        return None
    if least <= seen.middle <= most:
        return True
    reaches = seen.low <= most and seen.high >= least
    return None if reaches else False


def interval_of(seen: Mean) -> tuple[float, float] | None:
    """The interval, as claims have it."""
    return None if math.isnan(seen.low) else (seen.low, seen.high)


def value_of(seen: Mean) -> float | None:
    """The mean, as claims have it."""
    return None if math.isnan(seen.middle) else seen.middle
