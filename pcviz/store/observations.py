"""The writes of a worker: the columns, frames and checkpoints that only the holder of a run's lease writes.

Every write names the worker, the generation and (for frames) the seq that it builds on, and must change exactly one
row; otherwise the run was reset or taken over: nothing is written, and `Lost` is raised.
"""

import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from pcviz.frames import HEAD, Frame
from pcviz.store.contents import delete_checkpoints, delete_contents, delete_family
from pcviz.store.database import Database, Watcher
from pcviz.store.faults import explained
from pcviz.store.records import COLUMNS, FRESH, RunRecord, record
from pcviz.store.room import Limits, doomed, may_go, spaces
from pcviz.store.tables import checkpoints, frames, parts, runs
from pcviz.store.values import encode_values

LEASE_SECONDS = 10.0
PART_BYTES = 8_000_000
KEPT_CHECKPOINTS = 2
PRUNED = 5
"""Runs that one call of `prune` deletes at most."""
FREE_SHARE = 0.1
"""Share of the file that may be free pages."""
GIVEN_BACK = 64
"""Pages that are cut off in one call: up to 50 ms if all of them must be moved first."""


class Lost(Exception):
    """The run is no longer this worker's, or no longer in this generation: drop the job."""


class Observations:
    """The writes of one worker. One thread only, except `renew`."""

    def __init__(self, database: Database, worker: str) -> None:
        self.worker = worker
        self._database = database
        self._watcher: Watcher | None = None

    @property
    def _connection(self) -> Connection:
        """One connection for all slices, so that its watcher does not count the worker's own commits as changes."""
        if self._watcher is None:
            self._watcher = Watcher(self._database, immediate=True)
        return self._watcher.connection

    def changed(self) -> bool:
        """Whether another process or thread wrote since the last call."""
        _ = self._connection
        assert self._watcher is not None
        return self._watcher.changed()

    def claim(self, run: RunRecord, message: str | None = None, *, restarted: bool = False) -> bool:
        """Take the lease of a run; False if its lease or generation has changed since the run was read.

        A run whose generation the server has moved on starts afresh: its old frames and checkpoints are deleted.
        `restarted`: its last worker died while it worked on the run.
        """
        fresh = run.observed_generation != run.generation
        values: dict[str, Any] = {"worker": self.worker, "lease_until": time.time() + LEASE_SECONDS}
        if fresh:
            values |= FRESH | {"observed_generation": run.generation}
        elif restarted:
            values |= {"restarts": runs.c.restarts + 1, "strikes": runs.c.strikes + 1, "state": "queued"}
        if message is not None:
            values["message"] = message
        as_read = and_(
            runs.c.id == run.id,
            runs.c.generation == run.generation,
            runs.c.worker.is_(None) if run.worker is None else runs.c.worker == run.worker,
            or_(runs.c.lease_until == run.lease_until, runs.c.worker == self.worker),
        )
        with self._connection.begin():
            if self._connection.execute(update(runs).where(as_read).values(**values)).rowcount != 1:
                return False
            if fresh:
                delete_contents(self._connection, [run.id], before=run.generation)
        return True

    def renew(self) -> None:
        """Extend all leases of this worker; may be called from another thread."""
        with self._database.writing() as connection:
            lease = time.time() + LEASE_SECONDS
            connection.execute(update(runs).where(runs.c.worker == self.worker).values(lease_until=lease))

    def observe(self, run: str, generation: int, **values: Any) -> None:
        """Write observed columns (state, message, device, …). Raises Lost."""
        with self._connection.begin():
            self._fenced(run, generation, values)

    def publish(self, frame: Frame, **values: Any) -> int:
        """Store a frame (its `run`, `generation`, `seq` filled in; `seq` must be the stored one + 1) together with
        observed columns; returns the bytes that the run's frames take now. Raises Lost.

        Its bulk channels replace those of older frames, except of frames that belong to a checkpoint.
        """
        scalars = encode_values(frame.values, bulk=False).decode("ascii")
        bulk: str | None = encode_values(frame.values, bulk=True).decode("ascii")
        bulk = None if bulk == "{}" else bulk
        connection = self._connection
        with connection.begin():
            values |= {"seq": frame.seq, "step": frame.step, "seconds": frame.seconds, "published_at": time.time()}
            older = None if bulk is None else _older_bulk(frame.run, frame.generation)
            added = len(scalars) + len(bulk or "") - _bulk_bytes(connection, older)
            values |= {"strikes": 0, "frame_bytes": runs.c.frame_bytes + added}
            taken = self._fenced(frame.run, frame.generation, values, runs.c.seq == frame.seq - 1)
            if older is not None:
                connection.execute(update(frames).where(older).values(bulk=None))
            row = {name: getattr(frame, name) for name in HEAD}
            connection.execute(insert(frames), row | {"scalars": scalars, "bulk": bulk})
            return taken

    def checkpoint(
        self, run: str, generation: int, step: int, seq: int, arrays: dict[str, np.ndarray]
    ) -> Iterator[int]:
        """Write a checkpoint part by part: iterate to write the next part (its bytes are yielded), between slices.

        It becomes valid with `complete_checkpoint`, never before; after a crash in between, the older ones stay valid.
        """
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        del arrays  # the job continues while the parts are written: keep its old arrays only once
        data = buffer.getbuffer()
        with self._connection.begin():
            self._fenced(run, generation, {})
            head = {"run": run, "generation": generation, "step": step, "seq": seq, "size": len(data)}
            key = self._connection.execute(insert(checkpoints).values(**head)).inserted_primary_key
        assert key is not None
        for position, start in enumerate(range(0, len(data), PART_BYTES)):
            piece = bytes(data[start : start + PART_BYTES])
            with self._connection.begin():
                self._fenced(run, generation, {})
                self._connection.execute(insert(parts).values(checkpoint=key[0], position=position, data=piece))
            yield len(piece)

    def complete_checkpoint(self, run: str, generation: int, step: int, **values: Any) -> None:
        """Make the newest checkpoint valid, together with observed columns; keep the two newest. Raises Lost.

        The run counts as being at least at the checkpoint's step, frame or not.
        """
        connection = self._connection
        mine = and_(checkpoints.c.run == run, checkpoints.c.generation == generation)
        with connection.begin():
            self._fenced(run, generation, values)
            connection.execute(update(runs).where(runs.c.id == run, runs.c.step < step).values(step=step))
            newest = select(checkpoints.c.id).where(mine).order_by(checkpoints.c.id.desc())
            last = connection.execute(newest.limit(1)).scalar()
            connection.execute(update(checkpoints).where(checkpoints.c.id == last).values(valid=True))
            kept = connection.execute(newest.where(checkpoints.c.valid).limit(KEPT_CHECKPOINTS)).scalars().all()
            delete_checkpoints(connection, mine, checkpoints.c.id.not_in(kept))

    def release(self, run: str, generation: int) -> None:
        """Release the lease. Raises Lost."""
        self.observe(run, generation, worker=None, lease_until=0.0)

    def release_all(self) -> None:
        """Release all leases, so that another worker can continue these runs."""
        mine = update(runs).where(runs.c.worker == self.worker)
        busy = mine.where(runs.c.state.in_(("compiling", "running")))
        with self._connection.begin():
            self._connection.execute(busy.values(state="queued"))
            self._connection.execute(mine.values(worker=None, lease_until=0.0))

    def prune(self, limits: Limits) -> int:
        """Delete a few of the runs that exceed the limits, with their children; returns how many, 0 when none is left.
        A run that is opened meanwhile stays."""
        with self._connection.begin():
            found = spaces(self._connection, limits)
            while strange := self._unreadable(doomed(found, limits)[:PRUNED]):
                # A version must not delete runs that it cannot read.
                found = [replace(space, turn=None) if space.run in strange else space for space in found]
        return sum(self._delete(run, limits) for run in doomed(found, limits)[:PRUNED])

    def give_back(self) -> bool:
        """Cut some free pages off the file, which SQLite would keep; False once too few are left to matter.

        Does nothing if the file was made without incremental vacuum: later runs use its free pages again.
        """
        if not self._database.sqlite:
            return False
        driver: Any = self._connection.connection.driver_connection
        try:
            free, size = (driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
            if free <= FREE_SHARE * size:
                return False
            driver.executescript(f"PRAGMA incremental_vacuum({GIVEN_BACK})")  # `execute` would free one page
            return bool(driver.execute("PRAGMA page_count").fetchone()[0] < size)
        except sqlite3.Error as error:
            fault = explained(error, self._database.place)
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL):
                return False  # this can wait
            raise (fault or error) from error

    def close(self) -> None:
        """Return the connection to the pool; the next use takes one again."""
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = None

    def _delete(self, run: str, limits: Limits) -> bool:
        connection = self._connection
        with connection.begin():
            if not any(may_go(space) for space in spaces(connection, limits, run)):
                return False
            delete_family(connection, run)
        return True

    def _unreadable(self, ids: list[str]) -> set[str]:
        family = or_(runs.c.id.in_(ids), runs.c.parent.in_(ids))
        rows = self._connection.execute(select(*COLUMNS).where(family)).mappings()
        return {found.parent or found.id for row in rows if (found := record(row)).unreadable is not None}

    def _fenced(self, run: str, generation: int, values: dict[str, Any], *conditions: Any) -> int:
        """Write observed columns of a run that is still ours; returns the bytes that its frames take. Raises Lost."""
        mine = (runs.c.id == run, runs.c.worker == self.worker, runs.c.generation == generation, *conditions)
        # Setting the worker to itself makes even an update without values check the lease.
        write = update(runs).where(*mine).values(**({"worker": self.worker} | values)).returning(runs.c.frame_bytes)
        taken = self._connection.execute(write).scalar()
        if taken is None:
            raise Lost(run)
        return int(taken)


def _older_bulk(run: str, generation: int) -> ColumnElement[bool]:
    """Which frames have bulk channels that a newer frame replaces: those that belong to no checkpoint."""
    kept = select(checkpoints.c.seq).where(checkpoints.c.run == run, checkpoints.c.generation == generation)
    return and_(
        frames.c.run == run, frames.c.generation == generation, frames.c.bulk.is_not(None), frames.c.seq.not_in(kept)
    )


def _bulk_bytes(connection: Connection, chosen: ColumnElement[bool] | None) -> int:
    if chosen is None:
        return 0
    return int(connection.execute(select(func.sum(func.length(frames.c.bulk))).where(chosen)).scalar() or 0)
