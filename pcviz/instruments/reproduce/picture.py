"""What the panels of a finding draw: its charts and claims as arrays."""

import json
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from pcviz.frames import Value
from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.study import Claim, Report

PARTS = ("middle", "low", "high", "above")


def first_curves(charts: Sequence[Chart]) -> Iterator[int]:
    """Place of the first curve of every chart in the dimension Q of the channels."""
    place = 0
    for chart in charts:
        yield place
        place += len(chart.curves)


def curves_of(charts: Sequence[Chart]) -> dict[str, Value]:
    """The channels of the charts, (P, Q)."""
    longest = max(len(chart.places) for chart in charts)
    curves = [curve for chart in charts for curve in chart.curves]
    found = {f"finding_{part}": np.full((longest, len(curves)), np.nan) for part in PARTS}
    for column, curve in enumerate(curves):
        for part in PARTS:
            values = getattr(curve, part)
            found[f"finding_{part}"][: len(values), column] = values
    return {**found}


def outline_of(told: Report) -> float:
    """A checksum of curves, places and claims. What was measured with others, by an earlier pcviz, does not fit into
    the figures of these."""
    charts = [[list(chart.places), [curve.name for curve in chart.curves]] for chart in told.charts]
    return float(zlib.crc32(json.dumps([charts, [claim.text for claim in told.claims]]).encode()))


def claims_of(claims: Sequence[Claim]) -> np.ndarray:
    """The channel of the claims, (4, C): measured, ends of the interval, whether it is kept."""
    rows = [(c.measured, *(c.interval or (None, None)), c.kept) for c in claims]
    return np.array(rows, float).T.reshape(4, -1)


def claims_with(claims: Sequence[Claim], values: np.ndarray) -> list[Claim]:
    """The inverse of `claims_of`, given what the claims are."""

    def known(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    found = []
    for claim, (measured, low, high, kept) in zip(claims, values.T, strict=True):
        interval = None if np.isnan(low) else (float(low), float(high))
        found.append(Claim(claim.text, known(measured), None if np.isnan(kept) else bool(kept), interval))
    return found
