"""Attempts: what trying the remedies has brought."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from pcviz.experiment import Experiment, from_paths
from pcviz.frames import Value
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.verdict import Diagnosis


@dataclass(frozen=True)
class Attempt:
    """A training with remedies: the `changes` of this one, the `paths` in which its experiment differs from the
    default, its `score` in points, and how many of them it still leaves to the best twin known."""

    changes: dict[str, Any]
    paths: dict[str, Any]
    score: float
    left: float

    @property
    def experiment(self) -> Experiment:
        """The experiment with this remedy and all before."""
        return from_paths(self.paths)


def next_remedy(now: Experiment, found: Diagnosis, tried: Sequence[Experiment]) -> dict[str, Any] | None:
    """The remedy of the worst cause that has one and was not tried; None if there is none."""
    for cause in found.causes:
        try:
            if cause.remedy and (other := now.changed(cause.remedy)) != now and other not in tried:
                return cause.remedy
        except ValidationError:
            continue  # it makes no sense with the other settings
    return None


def attempt_of(
    evidence: Evidence, now: Experiment, changes: dict[str, Any], values: dict[str, Value], *, diverged: bool
) -> Attempt:
    """The attempt from the values of its training's last frame."""
    score = -np.inf if diverged else evidence.score_of(values)
    best = max(evidence.score(evidence.best), score)
    return Attempt(changes, now.differences(), float(score), float(best - score))


def packed(attempts: Sequence[Attempt]) -> np.ndarray:
    """Attempts as bytes of JSON."""
    return np.frombuffer(json.dumps([asdict(attempt) for attempt in attempts]).encode(), np.uint8)


def unpacked(values: dict[str, Value]) -> list[Attempt]:
    """The attempts in the values of a diagnosis."""
    found = values.get("attempts")
    if found is None:
        return []
    return [Attempt(**attempt) for attempt in json.loads(np.asarray(found, np.uint8).tobytes())]
