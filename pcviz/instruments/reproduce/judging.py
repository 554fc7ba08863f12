"""What means over seeds become: curves, and claims that are kept, not kept, or not known."""

import math
from collections.abc import Sequence

from pcviz.instruments.charts import Curve
from pcviz.instruments.reproduce.statistics import Mean
from pcviz.instruments.reproduce.study import Claim

NOTHING = Mean(math.nan, math.nan, math.nan)
"""The mean of what is not known yet."""


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


def above(seen: Mean, limit: float) -> bool | None:
    """Whether the whole interval is above the limit; None where the limit is in it, and where there is none."""
    if seen.low > limit:
        return True
    return False if seen.high < limit else None


def claimed(text: str, seen: Mean, kept: bool | None) -> Claim:
    """The claim with the mean that was measured and its interval; not known where there is none."""
    if math.isnan(seen.middle):
        return Claim(text, None, None)
    return Claim(text, seen.middle, kept, None if math.isnan(seen.low) else (seen.low, seen.high))
