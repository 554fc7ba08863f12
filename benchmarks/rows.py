"""Results of a benchmark: rows of a table, judged, printed and compared with earlier ones."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOISE = 1.05
"""Medians that differ by less are equal, however little their rounds vary."""


@dataclass(frozen=True)
class Row:
    """One result: the median of `rounds`, whose quartiles are `low` and `high`. `must` is its threshold (">= 4" or "<=
    1.15"), `met` whether it holds; `more` if more is better; `steady` is false if the speed of the machine changed."""

    name: str
    shape: str
    value: float
    unit: str
    low: float
    high: float
    wall: float | None = None
    must: str | None = None
    met: bool | None = None
    more: bool = False
    steady: bool = True


def row(
    name: str, shape: object, rounds: Sequence[float] | float, unit: str, *,
    at_least: float | None = None, at_most: float | None = None, **options: Any,
) -> Row:  # fmt: skip
    """A row, judged where it has a threshold; a single number has no quartiles."""
    values = [rounds] if isinstance(rounds, (int, float)) else list(rounds)
    low, value, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    value = statistics.median(values)
    if at_least is not None:
        options |= {"must": f">= {at_least:g}", "met": value >= at_least, "more": True}
    if at_most is not None:
        options |= {"must": f"<= {at_most:g}", "met": value <= at_most}
    return Row(name, str(shape), value, unit, low, high, **options)


def line(result: Row) -> str:
    """One row of the table."""
    wall = "" if result.wall is None else _number(result.wall)
    verdict = "" if result.met is None else f"{result.must:>8}  {'met' if result.met else 'NOT MET'}"
    unsteady = "" if result.steady else "  (unsteady machine)"
    numbers = f"{_number(result.value):>9} {result.unit:<3}{wall:>9}"
    return f"{result.name:<45} {result.shape:<18} {numbers} {verdict}{unsteady}".rstrip()


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def slower(rows: Iterable[Row], earlier: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each of the `rows` that is worse than in an earlier document beyond noise: the middle halves of the
    rounds do not overlap, and the medians differ by more than NOISE."""
    before = {(old["name"], old["shape"]): Row(**old) for old in earlier}
    lines = []
    for new in rows:
        old = before.get((new.name, new.shape))
        if old is None or not (new.steady and old.steady):
            continue
        factor = old.value / new.value if new.more else new.value / old.value
        apart = new.high < old.low if new.more else new.low > old.high
        if apart and factor > NOISE:
            numbers = f"{old.value:.3g} {old.unit} before, now {new.value:.3g} {new.unit}".replace("  ", " ")
            lines.append(f"{new.name}, {new.shape}: {numbers}, {factor:.2f} times as bad")
    return lines
