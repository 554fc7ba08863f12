"""Records of runs, as server and workers read them."""

from dataclasses import dataclass, field, fields
from functools import cache, cached_property, lru_cache
from types import UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic import ValidationError
from sqlalchemy import RowMapping

from pcviz.experiment import Experiment
from pcviz.experiment.faults import faults, shown
from pcviz.instruments import KINDS, options_of
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


class Unreadable(ValueError):
    """This version of pcviz cannot read a run: a later or an earlier one wrote it, or something damaged it."""

    def __init__(self, run: str, reason: str) -> None:
        super().__init__(f"The run {run} cannot be read: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class RunRecord:
    """One row of `runs`. Times are seconds since 1970; `step` and `seq` are those of the last stored frame.

    Between a reset and the claim of a worker, the observed columns read as those of a fresh, queued run.
    """

    id: str
    parent: str | None
    kind: str
    session: str
    owner: str = field(repr=False)
    control: str = field(repr=False)
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
        """The configuration; a child has that of its parent. Raises Unreadable."""
        try:
            return _experiment(self.experiment_json)
        except ValidationError as error:
            raise Unreadable(self.id, "; ".join(faults(error))) from error
        except orjson.JSONDecodeError as error:
            raise Unreadable(self.id, f"its experiment is no JSON ({error})") from error
        except Exception as error:  # whatever fails here, only this row is at fault
            raise Unreadable(self.id, f"its experiment cannot be upgraded to this version ({error})") from error

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options of a child or of a look, as passed to `Client`. Raises Unreadable."""
        try:
            found: dict[str, Any] = orjson.loads(self.options_json)
            options_of(self.kind, found)
        except ValidationError as error:
            raise Unreadable(self.id, "; ".join(faults(error, KINDS[self.kind]))) from error
        except ValueError as error:
            raise Unreadable(self.id, str(error)) from error
        return found

    @cached_property
    def unreadable(self) -> str | None:
        """Why this version of pcviz cannot read it, in one line; None if it can."""
        for name, kinds in _types().items():
            value = getattr(self, name)
            if not isinstance(value, kinds):
                names = " or ".join(kind.__name__ for kind in kinds)
                return f"{name}: {shown(value)} is of another type (allowed: {names})"
        for name, value, known in (("wanted", self.wanted, get_args(Wanted)), ("state", self.state, get_args(State))):
            if value not in known:
                return f"{name}: {shown(value)} is unknown here (allowed: {', '.join(known)})"
        try:
            _ = self.experiment, self.options
        except Unreadable as error:
            return error.reason
        return None

    @property
    def payer(self) -> str:
        """The owner whose share of compute time it uses, or its session if it has no owner."""
        return self.owner or self.session

    @property
    def ended(self) -> bool:
        """Whether the run has ended: nothing follows, unless it is reset."""
        return self.state in TERMINAL

    @property
    def limit(self) -> int:
        """The last step that it may take now."""
        return self.steps if self.allowed_until_step is None else min(self.allowed_until_step, self.steps)

    @property
    def resting(self) -> bool:
        """Whether it should not advance: it is paused, or at a step limit below its last step."""
        return self.rests_at(self.step)

    def rests_at(self, step: int) -> bool:
        """Whether it should not advance beyond `step`."""
        return bool(rests(self.wanted, self.limit, step, self.steps))


def rests(wanted: Any, limit: Any, step: Any, steps: Any) -> Any:
    """Whether a run of `steps` should not advance beyond `step`: it is not wanted to run, or is at a limit below its
    last step. Takes values or columns, so that Python and SQL share the rule."""
    return (wanted != "running") | ((limit <= step) & (step < steps))


@cache
def _types() -> dict[str, tuple[type, ...]]:
    """Column -> types of its values."""
    found = {}
    for name, hint in get_type_hints(RunRecord).items():
        kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        plain = tuple(str if get_origin(kind) is Literal else kind for kind in kinds)
        found[name] = (*plain, int) if float in plain else plain
    return found


@lru_cache(256)
def _experiment(text: str) -> Experiment:
    return Experiment.model_validate(orjson.loads(text))


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
"""The observed columns of a generation that no worker has claimed yet."""


def record(row: RowMapping) -> RunRecord:
    """A run from a row with `COLUMNS`."""
    values = dict(row)
    if values["observed_generation"] != values["generation"]:
        values |= FRESH
    return RunRecord(**values)
