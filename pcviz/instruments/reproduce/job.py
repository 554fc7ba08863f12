"""Reproductions of published findings, by the names of `pcviz.instruments.reproduce.options.REPRODUCTIONS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pcviz.instruments.reproduce import inference_budget
from pcviz.instruments.reproduce.options import Protocol

__all__ = ["RUNS"]

RUNS: dict[str, Callable[[Protocol, Callable[[int, int], None], Callable[[], bool]], dict[str, Any]]] = {
    "inference-budget": inference_budget.run,
}
"""(protocol, told (cells done, of how many), whether it is to end) → JSON document."""
