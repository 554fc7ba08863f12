"""Reproductions of published findings, by the names of `pcviz.reproductions.REPRODUCTIONS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pcviz.jobs.reproduce import inference_budget
from pcviz.reproductions import Protocol

__all__ = ["RUNS"]

RUNS: dict[str, Callable[[Protocol, Callable[[int, int], None], Callable[[], bool]], dict[str, Any]]] = {
    "inference-budget": inference_budget.run,
}
"""(protocol, told (cells done, of how many), whether it is to end) → JSON document."""
