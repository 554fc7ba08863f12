"""A run as server and worker see it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, TypeAlias

import orjson
from sqlalchemy import RowMapping

from pcviz.experiment import Experiment
from pcviz.store.tables import runs

Wanted: TypeAlias = Literal["running", "paused", "cancelled"]
State: TypeAlias = Literal["queued", "compiling", "running", "paused", "done", "diverged", "failed", "cancelled"]
TERMINAL = frozenset({"done", "diverged", "failed", "cancelled"})
"""States after which nothing follows, unless the run is reset."""


class UnknownRun(KeyError):
    """No run has this id (any more)."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run

    def __str__(self) -> str:
        return f"There is no run {self.run[:64]!r} in this store"


@dataclass(frozen=True)
class RunRecord:
    """One row of `runs`. Times are seconds since 1970; `step` and `seq` are those of the last stored frame.

    Between a reset and the worker's answer to it, the observed columns read as those of a fresh, queued run.
    """

    id: str
    parent: str | None
    kind: str
    session: str
    owner: str = field(repr=False)
    experiment_json: str = field(repr=False)
    options_json: str = field(repr=False)
    steps: int
    created_at: float
    wanted: Wanted
    allowed_until_step: int | None
    generation: int
    seen_at: float
    snapshot_wanted: int
    pinned: bool
    state: State
    step: int
    seq: int
    observed_generation: int
    message: str
    worker: str | None
    lease_until: float
    seconds: float
    device: str
    restarts: int
    strikes: int
    snapshot_done: int
    frame_bytes: int
    published_at: float

    @cached_property
    def experiment(self) -> Experiment:
        """The configuration; of a child, its parent's."""
        return Experiment.model_validate_json(self.experiment_json)

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options of a child or of a relaxation, as given to `Client`."""
        found: dict[str, Any] = orjson.loads(self.options_json)
        return found

    @property
    def ended(self) -> bool:
        """Nothing follows, unless it is reset."""
        return self.state in TERMINAL

    @property
    def limit(self) -> int:
        """The last step that it may take now."""
        return self.steps if self.allowed_until_step is None else min(self.allowed_until_step, self.steps)

    @property
    def resting(self) -> bool:
        """It is not wanted to advance: paused, or at a step limit below its end."""
        return self.rests_at(self.step)

    def rests_at(self, step: int) -> bool:
        """Whether it is not wanted to advance from `step`."""
        return bool(rests(self.wanted, self.limit, step, self.steps))


def rests(wanted: Any, limit: Any, step: Any, steps: Any) -> Any:
    """Whether a run of `steps` is not wanted to advance from `step`: paused, or at a limit below its end. Of values and
    of columns alike, so that Python and SQL share the rule."""
    return (wanted != "running") | ((limit <= step) & (step < steps))


COLUMNS = [runs.c[column.name] for column in fields(RunRecord)]
FRESH: dict[str, Any] = {
    "state": "queued",
    "step": 0,
    "seq": 0,
    "message": "",
    "seconds": 0.0,
    "frame_bytes": 0,
    "strikes": 0,
}
"""The observed columns of a generation that no worker has begun yet."""


def record(row: RowMapping) -> RunRecord:
    """A run from a row with `COLUMNS`."""
    values = dict(row)
    if values["observed_generation"] != values["generation"]:
        values |= FRESH
    return RunRecord(**values)
