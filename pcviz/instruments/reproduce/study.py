"""Studies: published findings, the networks that are measured again, and what is said of them.

A study is read from the cells measured so far: charts, which pages draw live and commands print as tables, and claims
with a verdict. Which charts, curves, places and claims there are depends on the protocol alone; before anything is
measured their values are NaN and None. Nothing here loads JAX: how a cell is measured is in `measures`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from pcviz.experiment.looks import Parts
from pcviz.instruments.charts import Chart, written

Cells: TypeAlias = list[dict[str, Any]]
"""What was measured of each cell, as it is written in JSON."""


class Claim(NamedTuple):
    """A claim that can fail, what was measured, whether it is `kept` (None: not known), and the interval of what was
    measured (95 % unless the text says otherwise)."""

    text: str
    measured: float | None
    kept: bool | None
    interval: tuple[float, float] | None = None


class Report(NamedTuple):
    """What a study says of the cells measured so far. `how`: networks, data and methods in one line; `parts`: what its
    document holds besides."""

    charts: Sequence[Chart]
    claims: Sequence[Claim]
    how: str
    parts: Mapping[str, Any] = {}


class Networks(Protocol):
    """A protocol of a study, a NamedTuple: the cells by name, in the order in which they are measured, and the seconds
    that each adds."""

    @property
    def cells(self) -> Mapping[str, Any]: ...

    @property
    def parts(self) -> Parts: ...


class Study(NamedTuple):
    """A finding: its name for people, what is asked (to follow "measures"), where it was published, the protocol of a
    paper and the one of a trial, and how cells are read."""

    label: str
    help: str
    source: str
    full: Any
    quick: Any
    report: Callable[[Cells, Any], Report]


def document_of(name: str, study: Study, found: Cells, protocol: Any) -> dict[str, Any]:
    """The document of the cells measured so far: what `reproduce --json` prints."""
    told = study.report(found, protocol)
    return {
        "schema": 1,
        "reproduction": name,
        "status": "done" if len(found) == len(protocol.cells) else "stopped",
        "protocol": _plain(protocol),
        "charts": [written(chart) for chart in told.charts],
        "verdict": [
            {"claim": c.text, "measured": c.measured, "interval": c.interval and list(c.interval), "kept": c.kept}
            for c in told.claims
        ],
        "how": told.how,
        **told.parts,
        "cells": found,
    }


def _plain(value: Any) -> Any:
    """Tuples as lists, those with names as dictionaries, at every depth."""
    if hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
