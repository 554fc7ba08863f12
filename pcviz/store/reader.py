"""What server and worker may read."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from pcviz.frames import HEAD, Frame
from pcviz.store.database import Database
from pcviz.store.records import COLUMNS, TERMINAL, RunRecord, UnknownRun, record, rests
from pcviz.store.room import Limits, Spaces, spaces
from pcviz.store.tables import checkpoints, datasets, frames, parts, runs
from pcviz.store.values import decode_values

PARENTS = runs.alias("parents")


@dataclass(frozen=True)
class StoredFrame:
    """A frame as it lies in the store: `scalars` and `bulk` are JSON objects (bulk None: dropped or never sent)."""

    run: str
    generation: int
    seq: int
    kind: str
    step: int
    inference_step: int
    epoch: float
    seconds: float
    scalars: str
    bulk: str | None

    @property
    def values_json(self) -> str:
        """One JSON object of all stored values; nothing is decoded."""
        if self.bulk is None or self.bulk == "{}":
            return self.scalars
        return self.bulk if self.scalars == "{}" else f"{self.scalars[:-1]},{self.bulk[1:]}"

    def frame(self) -> Frame:
        """The frame with its values decoded."""
        values = decode_values(self.values_json.encode())
        return Frame(values=values, **{name: getattr(self, name) for name in HEAD})


class Reader:
    """Reads runs, frames and checkpoints; each method sees one state of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, run: str) -> RunRecord:
        """One run; raises UnknownRun."""
        found = self.select(runs.c.id == run)
        if not found:
            raise UnknownRun(run)
        return found[0]

    def dataset(self, name: str) -> bytes | None:
        """The bytes of a user data set, as passed to `Requests.keep_dataset`; None if the store does not have it."""
        with self._database.reading() as connection:
            return connection.execute(select(datasets.c.data).where(datasets.c.name == name)).scalar()

    def datasets(self) -> dict[str, int]:
        """Name and bytes of the data sets that the store holds, oldest first."""
        sizes = select(datasets.c.name, func.length(datasets.c.data)).order_by(datasets.c.created_at)
        with self._database.reading() as connection:
            return {name: size for name, size in connection.execute(sizes)}

    def runs(self, limit: int, owner: str | None = None) -> list[RunRecord]:
        """The newest runs, without children, newest first; only those of one owner if one is named."""
        started = [runs.c.parent.is_(None), *([] if owner is None else [runs.c.owner == owner])]
        statement = select(*COLUMNS).where(*started).order_by(runs.c.created_at.desc()).limit(limit)
        with self._database.reading() as connection:
            return [record(row) for row in connection.execute(statement).mappings()]

    def select(self, *conditions: object) -> list[RunRecord]:
        """The runs that fulfil SQL conditions, oldest first."""
        statement = select(*COLUMNS).where(*conditions).order_by(runs.c.created_at, runs.c.id)  # type: ignore[arg-type]
        with self._database.reading() as connection:
            return [record(row) for row in connection.execute(statement).mappings()]

    def unreadable(self, owner: str | None = None) -> list[RunRecord]:
        """The runs that this version cannot read, newest first; a child whose parent is one of them goes with it."""
        found = self.select(*([] if owner is None else [runs.c.owner == owner]))
        strange = {item.id: item for item in reversed(found) if item.unreadable}
        return [item for item in strange.values() if item.parent not in strange]

    def families(self, wanted: Iterable[str]) -> list[RunRecord]:
        """These runs and their children."""
        ids = list(wanted)
        return self.select(or_(runs.c.id.in_(ids), runs.c.parent.in_(ids)))

    def frames(
        self, run: str, generation: int, after: int = 0, limit: int | None = None, *, bulk: bool = True
    ) -> list[StoredFrame]:
        """Frames with seq above `after`, in order. Only the newest one that has bulk channels carries them: older
        ones are kept for checkpoints."""
        mine = and_(frames.c.run == run, frames.c.generation == generation)
        columns = [frames.c[name] for name in StoredFrame.__dataclass_fields__ if name != "bulk"]
        statement = select(*columns).where(mine, frames.c.seq > after).order_by(frames.c.seq)
        with self._database.reading() as connection:
            rows = connection.execute(statement.limit(limit)).mappings().all()
            newest, payload = self._newest_bulk(connection, run, generation) if bulk and rows else (0, None)
        return [StoredFrame(**row, bulk=payload if row["seq"] == newest else None) for row in rows]

    def last_frame(self, run: str, generation: int) -> Frame | None:
        """The newest frame, with the bulk channels of the newest frame that has them."""
        mine = and_(frames.c.run == run, frames.c.generation == generation)
        with self._database.reading() as connection:
            row = connection.execute(select(frames).where(mine).order_by(frames.c.seq.desc()).limit(1)).mappings()
            found = row.first()
            if found is None:
                return None
            payload = self._newest_bulk(connection, run, generation)[1]
        return StoredFrame(**{**found, "bulk": payload}).frame()

    def last_place(self, run: str, generation: int) -> tuple[int, int]:
        """(step, inference_step) of the newest frame; (0, 0) if there is none."""
        mine = and_(frames.c.run == run, frames.c.generation == generation)
        statement = select(frames.c.step, frames.c.inference_step).where(mine).order_by(frames.c.seq.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        return (0, 0) if row is None else (row[0], row[1])

    def checkpoint(self, run: str, generation: int) -> tuple[int, dict[str, np.ndarray]] | None:
        """Step and arrays of the newest complete checkpoint."""
        complete = (checkpoints.c.run == run, checkpoints.c.generation == generation, checkpoints.c.valid)
        newest = select(checkpoints.c.id, checkpoints.c.step).where(*complete).order_by(checkpoints.c.id.desc())
        with self._database.reading() as connection:
            found = connection.execute(newest.limit(1)).first()
            if found is None:
                return None
            pieces = select(parts.c.data).where(parts.c.checkpoint == found.id).order_by(parts.c.position)
            data = b"".join(connection.execute(pieces).scalars())
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return found.step, {name: archive[name] for name in archive.files}

    def open_runs(self) -> list[RunRecord]:
        """The runs that need a worker, parents first: those not yet in the wanted state, and those that a worker holds.

        A child never comes without its parent.
        """
        with self._database.reading() as connection:
            found = connection.execute(OPEN).all()
        ids = {row.id for row in found} | {row.parent for row in found if row.parent is not None}
        return sorted(self.select(runs.c.id.in_(ids)) if ids else [], key=lambda item: item.parent is not None)

    def spaces(self, limits: Limits) -> Spaces:
        """What every run takes, its children included."""
        with self._database.reading() as connection:
            return spaces(connection, limits)

    def last_commit(self) -> float:
        """When any worker last committed a slice, in seconds since 1970."""
        with self._database.reading() as connection:
            return float(connection.execute(select(func.max(runs.c.published_at))).scalar() or 0.0)

    @staticmethod
    def _newest_bulk(connection: Connection, run: str, generation: int) -> tuple[int, str | None]:
        mine = (frames.c.run == run, frames.c.generation == generation, frames.c.bulk.is_not(None))
        statement = select(frames.c.seq, frames.c.bulk).where(*mine).order_by(frames.c.seq.desc()).limit(1)
        row = connection.execute(statement).first()
        return (0, None) if row is None else (row[0], row[1])


def _rests(run: Any) -> ColumnElement[bool]:
    """Whether a run should not advance beyond its step (`run` has the columns of `runs` or of an alias)."""
    return cast(
        "ColumnElement[bool]",
        rests(run.wanted, func.coalesce(run.allowed_until_step, run.steps), run.step, run.steps),
    )


def _needs_worker() -> ColumnElement[bool]:
    """Condition on `runs` joined with `PARENTS`; their rows alone exclude resting runs, of which there may be many."""
    run, parent = runs.c, PARENTS.c
    run_at_rest = and_(_rests(run), run.snapshot_wanted <= run.snapshot_done)
    child_at_rest = or_(run.wanted == "paused", and_(parent.state.not_in(TERMINAL), _rests(parent)))
    at_rest = and_(
        run.state == "paused",
        run.wanted != "cancelled",
        case((run.parent.is_(None), run_at_rest), else_=child_at_rest),
    )
    return or_(
        run.generation != run.observed_generation,
        run.worker.is_not(None),
        and_(run.state.not_in(TERMINAL), ~at_rest),
    )


OPEN = (
    select(runs.c.id, runs.c.parent)
    .select_from(runs.outerjoin(PARENTS, runs.c.parent == PARENTS.c.id))
    .where(_needs_worker())
)
