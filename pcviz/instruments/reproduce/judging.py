"""Claims about means over seeds: kept, not kept, or not known."""

import math

from pcviz.instruments.reproduce.statistics import Mean
from pcviz.instruments.reproduce.study import Claim

NOTHING = Mean(math.nan, math.nan, math.nan)
"""The mean of what is not known yet."""


def at_most(seen: Mean, limit: float) -> bool | None:
    """None where nothing was measured, and where the mean is above the limit while its interval is not."""
    if seen.middle <= limit:
        return True
    return False if seen.low > limit else None


def at_least(seen: Mean, limit: float) -> bool | None:
    """None where nothing was measured, and where the mean is below the limit while its interval is not."""
    if seen.middle >= limit:
        return True
    return False if seen.high < limit else None


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
