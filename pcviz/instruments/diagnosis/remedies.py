"""Remedies in words."""

from collections.abc import Sequence
from typing import Any

from pcviz.experiment import Experiment, fields
from pcviz.experiment.labels import value_label
from pcviz.instruments.diagnosis.attempts import Attempt
from pcviz.instruments.diagnosis.treatments import values_of
from pcviz.instruments.diagnosis.verdict import Diagnosis


def remedy_text(experiment: Experiment, changes: dict[str, Any]) -> str:
    """Changes of an experiment: "Step size η 2 → 0.1, Solver gradient descent → momentum"."""
    now, titles = values_of(experiment), fields()
    return ", ".join(
        f"{titles[path].title} {value_label(path, now[path])} → {value_label(path, value)}"
        for path, value in changes.items()
    )


def tried_rows(experiment: Experiment, found: Diagnosis, attempts: Sequence[Attempt]) -> list[list[str]]:
    """Before and after, a row each: the remedy, the points with it and all before, and what these leave to the best
    twin."""
    rows, before = [["none", score_text(found.score), score_text(found.best - found.score)]], experiment
    for attempt in attempts:
        rows.append([remedy_text(before, attempt.changes), score_text(attempt.score), score_text(attempt.left)])
        before = attempt.experiment
    return rows


def score_text(points: float) -> str:
    """Points, or what they leave, of a training that may have diverged."""
    return "diverged" if points == float("-inf") else "–" if points == float("inf") else f"{points:.1f}"
