"""What runs should do: the columns that only the server writes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, insert, or_, select, update

from pcviz.experiment import Experiment
from pcviz.store.database import Database
from pcviz.store.records import COLUMNS, RunRecord, UnknownRun, Wanted, record
from pcviz.store.tables import runs


class Wishes:
    """Creates runs and changes their desired state. Unknown ids raise `UnknownRun`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        experiment: Experiment,
        session: str,
        owner: str,
        wanted: Wanted,
        allowed_until_step: int | None,
        *,
        kind: str = "train",
        options: dict[str, Any] | None = None,
        steps: int | None = None,
    ) -> str:
        """A new run that a worker will claim; returns its id. `steps`: its last one, default the weight steps."""
        with self._database.writing() as connection:
            return _insert(
                connection,
                kind=kind,
                session=session,
                owner=owner,
                experiment_json=experiment.model_dump_json(),
                options_json=orjson.dumps(options or {}).decode(),
                steps=experiment.learning.steps if steps is None else steps,
                wanted=wanted,
                allowed_until_step=allowed_until_step,
            )

    def create_child(self, parent: str, kind: str, options: dict[str, Any]) -> str:
        """A child of `parent`, in its generation; returns its id. Raises ValueError if `parent` is itself a child."""
        with self._database.writing() as connection:
            above = _locked(connection, parent)
            if above.parent is not None:
                raise ValueError("A child cannot have children of its own")
            return _insert(
                connection,
                parent=parent,
                kind=kind,
                session=above.session,
                owner=above.owner,
                experiment_json=above.experiment_json,
                options_json=orjson.dumps(options).decode(),
                steps=above.steps,
                wanted="running",
                generation=above.generation,
                observed_generation=above.generation,
            )

    def want(self, run: str, wanted: Wanted) -> None:
        """Run without a step limit, pause, or cancel (its children too)."""
        with self._database.writing() as connection:
            _locked(connection, run)
            _update(connection, run, wanted=wanted, allowed_until_step=None)
            if wanted == "cancelled":
                connection.execute(update(runs).where(runs.c.parent == run).values(wanted=wanted))

    def allow_steps(self, run: str, count: int) -> None:
        """Take `count` more steps, then pause; quick successive calls add up."""
        with self._database.writing() as connection:
            now = _locked(connection, run)
            base = now.step
            if now.wanted == "running" and now.allowed_until_step is not None:
                base = max(base, now.allowed_until_step)
            _update(connection, run, wanted="running", allowed_until_step=base + count)

    def reset(self, run: str, wanted: Wanted | None) -> None:
        """Begin a new generation from step 0, children included; `wanted` None keeps the wish (cancelled: paused)."""
        with self._database.writing() as connection:
            now = _locked(connection, run)
            wish = wanted or ("paused" if now.wanted == "cancelled" else now.wanted)
            values = {"generation": runs.c.generation + 1, "allowed_until_step": None}
            _update(connection, run, wanted=wish, **values)
            connection.execute(update(runs).where(runs.c.parent == run).values(wanted="running", **values))

    def renew(self, wanted: Iterable[str]) -> None:
        """Note that somebody looks at these runs; unknown ids are ignored."""
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id.in_(list(wanted))).values(seen_at=time.time()))

    def want_snapshot(self, run: str) -> None:
        """Ask for a checkpoint at the next opportunity."""
        with self._database.writing() as connection:
            _locked(connection, run)
            _update(connection, run, snapshot_wanted=runs.c.snapshot_wanted + 1)

    def pin(self, run: str, pinned: bool) -> None:
        """Keep a run from being pruned, or no longer."""
        with self._database.writing() as connection:
            _locked(connection, run)
            _update(connection, run, pinned=pinned)

    def pause_unseen(self, before: float) -> int:
        """Pause the runs that nobody looked at since `before` and that run or are about to; returns how many."""
        unseen = (runs.c.parent.is_(None), runs.c.seen_at < before, runs.c.wanted == "running")
        busy = or_(
            runs.c.state.in_(("queued", "compiling", "running")), runs.c.generation != runs.c.observed_generation
        )
        with self._database.writing() as connection:
            values = {"wanted": "paused", "allowed_until_step": None}
            return connection.execute(update(runs).where(*unseen, busy).values(values)).rowcount


def _insert(connection: Connection, **values: Any) -> str:
    run, now = uuid.uuid4().hex, time.time()
    connection.execute(insert(runs).values(id=run, created_at=now, seen_at=now, **values))
    return run


def _locked(connection: Connection, run: str) -> RunRecord:
    row = connection.execute(select(*COLUMNS).where(runs.c.id == run).with_for_update()).mappings().first()
    if row is None:
        raise UnknownRun(run)
    return record(row)


def _update(connection: Connection, run: str, **values: Any) -> None:
    connection.execute(update(runs).where(runs.c.id == run).values(**values))
