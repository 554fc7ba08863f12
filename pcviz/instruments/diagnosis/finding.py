"""Findings: what rules say of the evidence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from pcviz.brief import short
from pcviz.instruments.diagnosis.evidence import Evidence

Severity = Literal["FAIL", "WARN", "unknown", "OK"]
SEVERITIES: tuple[Severity, ...] = ("FAIL", "WARN", "unknown", "OK")
"""The worst first."""


@dataclass(frozen=True)
@short
class Finding:
    """What one rule found.

    `value` of the measured quantity, and the `threshold` beyond which it counts; one sentence each of what was measured
    (`evidence`), of the `cause` and of the `consequence`; the `layers` concerned, from 1; `remedy`: field path ->
    value; `points` that it costs, NaN where that was not measured. `id`, `name` and `reference` are those of the rule,
    `severity` and `explained_by`, the id of its cause, those of the verdict.
    """

    value: float
    threshold: float
    evidence: str
    cause: str
    consequence: str = ""
    layers: tuple[int, ...] = ()
    remedy: dict[str, Any] = field(default_factory=dict)
    points: float = float("nan")
    id: str = ""
    name: str = ""
    reference: str = ""
    severity: Severity = "OK"
    explained_by: str = ""


class Rule(NamedTuple):
    """A rule: what it is called, where it comes from, and what it finds in the evidence; None: nothing, or it does not
    apply. A `sign` is no cause: it is shown under the cause that explains it, or as harmless. `needs`: the channels
    without which it cannot tell."""

    name: str
    reference: str
    find: Callable[[Evidence], Finding | None]
    needs: tuple[str, ...] = ()
    sign: bool = False


def layers_text(layers: Iterable[int]) -> str:
    """layer 3; layers 1 to 5; layers 1, 2 and 9."""
    numbers = sorted(layers)
    if len(numbers) == 1:
        return f"layer {numbers[0]}"
    if all(b == a + 1 for a, b in pairwise(numbers)):
        return f"layers {numbers[0]} to {numbers[-1]}"
    if len(numbers) > 6:
        return f"{len(numbers)} layers between {numbers[0]} and {numbers[-1]}"
    return f"layers {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def points_text(points: float) -> str:
    """3.4 points; nothing that can be measured."""
    return f"{points:.1f} points" if points >= 0.05 else "nothing that can be measured"
