"""What runs should do: the columns that only the server writes."""

import time
import uuid
from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from pcviz.experiment import Experiment
from pcviz.store.contents import delete_family
from pcviz.store.database import Database
from pcviz.store.records import COLUMNS, RunRecord, UnknownRun, Wanted, record
from pcviz.store.room import Limits, StoreFull, needed, refusal, spaces
from pcviz.store.tables import datasets, runs


class Requests:
    """Creates runs and changes their desired state. Unknown ids raise `UnknownRun`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        experiment: Experiment,
        session: str,
        owner: str,
        wanted: Wanted = "running",
        allowed_until_step: int | None = None,
        *,
        id: str | None = None,
        control: str = "",
        kind: str = "train",
        options: dict[str, Any] | None = None,
        steps: int | None = None,
        limits: Limits | None = None,
        leaving: Collection[str] = (),
    ) -> str:
        """Create a run for a worker to claim; returns its id. `owner` and `control` are digests of the secrets that
        steer it, `steps` is its last step, by default the number of weight steps.

        Raises StoreFull if there is no room within `limits`, not counting the runs `leaving` as watched.
        """
        document = experiment.model_dump_json()
        with self._database.writing() as connection:
            _check_room(connection, limits, owner, kind, document, leaving)
            return _insert(
                connection,
                id=id or uuid.uuid4().hex,
                kind=kind,
                session=session,
                owner=owner,
                control=control,
                experiment_json=document,
                options_json=orjson.dumps(options or {}).decode(),
                steps=experiment.learning.steps if steps is None else steps,
                wanted=wanted,
                allowed_until_step=allowed_until_step,
            )

    def create_child(self, parent: str, kind: str, options: dict[str, Any], limits: Limits | None = None) -> str:
        """Create a child of `parent`, in its generation; returns its id. Raises ValueError if `parent` is a child,
        StoreFull if there is no room within `limits`."""
        with self._database.writing() as connection:
            above = _existing(connection, parent)
            if above.parent is not None:
                raise ValueError("A child cannot have children of its own")
            _check_room(connection, limits, above.owner, kind, above.experiment_json)
            return _insert(
                connection,
                id=uuid.uuid4().hex,
                parent=parent,
                kind=kind,
                session=above.session,
                owner=above.owner,
                control=above.control,
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
            _existing(connection, run)
            _update(connection, run, wanted=wanted, allowed_until_step=None)
            if wanted == "cancelled":
                connection.execute(update(runs).where(runs.c.parent == run).values(wanted=wanted))

    def allow_steps(self, run: str, count: int) -> None:
        """Take `count` more steps, then pause; quick successive calls add up."""
        with self._database.writing() as connection:
            now = _existing(connection, run)
            base = now.step
            if now.wanted == "running" and now.allowed_until_step is not None:
                base = max(base, now.allowed_until_step)
            _update(connection, run, wanted="running", allowed_until_step=base + count)

    def reset(self, run: str, wanted: Wanted | None) -> None:
        """Begin a new generation from step 0, children included; `wanted` None: as before (cancelled: paused)."""
        with self._database.writing() as connection:
            now = _existing(connection, run)
            kept = wanted or ("paused" if now.wanted == "cancelled" else now.wanted)
            values = {"generation": runs.c.generation + 1, "allowed_until_step": None}
            _update(connection, run, wanted=kept, **values)
            connection.execute(update(runs).where(runs.c.parent == run).values(wanted="running", **values))

    def renew(self, wanted: Iterable[str]) -> None:
        """Note that these runs are watched now; unknown ids are ignored."""
        wanted = list(wanted)
        if not wanted:
            return
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id.in_(wanted)).values(seen_at=time.time()))

    def want_snapshot(self, run: str) -> None:
        """Ask for a checkpoint at the next opportunity."""
        with self._database.writing() as connection:
            _existing(connection, run)
            _update(connection, run, snapshot_wanted=runs.c.snapshot_wanted + 1)

    def pin(self, run: str, pinned: bool) -> None:
        """Keep a run from being pruned, or no longer."""
        with self._database.writing() as connection:
            _existing(connection, run)
            _update(connection, run, pinned=pinned)

    def keep_dataset(self, name: str, data: bytes) -> None:
        """Store a user data set for all workers, until it is deleted; its name contains the digest of its content."""
        with self._database.writing() as connection:
            if connection.execute(select(datasets.c.name).where(datasets.c.name == name)).first() is None:
                connection.execute(insert(datasets).values(name=name, data=data, created_at=time.time()))

    def delete_dataset(self, name: str) -> None:
        """Delete a data set. Raises LookupError if there is none of this name, ValueError while runs learn from it."""
        with self._database.writing() as connection:
            users = select(func.count()).where(runs.c.experiment_json.contains(name))
            if count := connection.execute(users).scalar():
                raise ValueError(f"{name}: stored runs learn from it: {count} (allowed: one that no run learns from)")
            if not connection.execute(delete(datasets).where(datasets.c.name == name)).rowcount:
                raise LookupError(f"{name}: the store holds no such data set")

    def delete(self, run: str) -> None:
        """Delete a run with its children, frames and checkpoints; a worker that holds it finds it gone."""
        with self._database.writing() as connection:
            _existing(connection, run)
            delete_family(connection, run)

    def pause_unseen(self, before: float) -> int:
        """Pause the queued and running runs that nobody has watched since `before`; returns how many."""
        unseen = (runs.c.parent.is_(None), runs.c.seen_at < before, runs.c.wanted == "running")
        busy = or_(
            runs.c.state.in_(("queued", "compiling", "running")), runs.c.generation != runs.c.observed_generation
        )
        with self._database.writing() as connection:
            values = {"wanted": "paused", "allowed_until_step": None}
            return connection.execute(update(runs).where(*unseen, busy).values(values)).rowcount


def _check_room(
    connection: Connection,
    limits: Limits | None,
    owner: str,
    kind: str,
    experiment_json: str,
    leaving: Collection[str] = (),
) -> None:
    if limits is not None:
        full = refusal(spaces(connection, limits), limits, owner, needed(kind, experiment_json), leaving)
        if full is not None:
            raise StoreFull(full)


def _insert(connection: Connection, **values: Any) -> str:
    now = time.time()
    connection.execute(insert(runs).values(created_at=now, seen_at=now, **values))
    return str(values["id"])


def _existing(connection: Connection, run: str) -> RunRecord:
    row = connection.execute(select(*COLUMNS).where(runs.c.id == run)).mappings().first()
    if row is None:
        raise UnknownRun(run)
    return record(row)


def _update(connection: Connection, run: str, **values: Any) -> None:
    connection.execute(update(runs).where(runs.c.id == run).values(**values))
