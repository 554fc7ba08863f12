"""How much space runs take, which of them are deleted when there is too little, and when no new one may start.

A run and its children are counted and deleted together. All that is stored of them counts, complete or not; a training
run that has not ended counts as no less than the checkpoints that it will have, so that many runs that start at once
get no more space than there is.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias

from sqlalchemy import Connection, Float, and_, case, cast, func, or_, select

from pcviz.experiment import Experiment, cost
from pcviz.settings import Settings
from pcviz.store.records import TERMINAL
from pcviz.store.tables import checkpoints, runs

ROW_BYTES = 400
"""Bytes of a row of `runs` in its table and indexes, besides its documents."""
FRAME_BYTES = 200
"""Bytes of a frame in its table and indexes, besides its channels."""
LOOKED_AT_SECONDS = 120.0
"""A run counts as watched this long: open tabs renew it every 30 seconds, hidden ones once a minute."""
DAY = 86_400.0


class StoreFull(Exception):
    """There is no room for another run. The message is one line: which setting, how much is taken, what to do."""


@dataclass(frozen=True)
class Limits:
    """Bytes for all runs, bytes for those of one owner (None: no quota), and the days after which a paused run that
    nobody has watched may be deleted."""

    total: int
    owner: int | None
    paused_days: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits in the settings. Owners have a quota on a shared server only: elsewhere there is one user."""
        return cls(settings.store_limit, settings.owner_limit if settings.shared else None, settings.paused_days)


@dataclass(frozen=True)
class Space:
    """Bytes of a run with its children. `turn`: 0 ended, 1 cancelled but never released, 2 paused and not watched for
    long: a lower turn is deleted first; None: never. `looked_at`: it is watched, so it may not be deleted now."""

    run: str
    owner: str
    created_at: float
    size: int
    turn: int | None
    looked_at: bool


Spaces: TypeAlias = list[Space]


def spaces(connection: Connection, limits: Limits, run: str | None = None) -> Spaces:
    """The space of every run with its children, or of one run."""
    now = time.time()
    weights = select(func.coalesce(func.sum(checkpoints.c.size), 0)).where(checkpoints.c.run == runs.c.id)
    documents = sum(func.length(runs.c[name]) for name in ("experiment_json", "options_json", "message"))
    stored = ROW_BYTES + documents + runs.c.frame_bytes + FRAME_BYTES * runs.c.seq + weights.scalar_subquery()
    held = and_(runs.c.worker.is_not(None), runs.c.lease_until >= now)
    head = func.coalesce(runs.c.parent, runs.c.id)
    families = select(
        head.label("run"),
        func.sum(stored).label("stored"),
        func.max(case((or_(runs.c.pinned, held), 1), else_=0)).label("stays"),
        func.max(cast(runs.c.seen_at, Float)).label("seen_at"),
    ).group_by(head)
    if run is not None:
        families = families.where(or_(runs.c.id == run, runs.c.parent == run))
    whole = families.subquery()
    ended = and_(runs.c.state.in_(TERMINAL), runs.c.generation == runs.c.observed_generation)
    paused = or_(runs.c.wanted == "paused", and_(runs.c.state == "paused", runs.c.allowed_until_step <= runs.c.step))
    turn = case(
        (whole.c.stays == 1, None),
        (ended, 0),
        (runs.c.wanted == "cancelled", 1),
        (and_(paused, runs.c.seen_at < now - DAY * limits.paused_days), 2),
    )
    unfinished = case((~ended, runs.c.experiment_json))
    columns = (
        runs.c.id,
        runs.c.owner,
        runs.c.kind,
        cast(runs.c.created_at, Float).label("created_at"),
        whole.c.stored,
        whole.c.seen_at,
    )
    statement = select(*columns, turn.label("turn"), unfinished.label("unfinished"))
    found = connection.execute(statement.join(whole, whole.c.run == runs.c.id)).all()
    return [
        Space(
            run=row.id,
            owner=row.owner,
            created_at=row.created_at,
            size=max(int(row.stored), needed(row.kind, row.unfinished) if row.unfinished else 0),
            turn=row.turn,
            looked_at=row.seen_at >= now - LOOKED_AT_SECONDS,
        )
        for row in found
    ]


@lru_cache(256)
def needed(kind: str, experiment_json: str) -> int:
    """Least bytes that a run will take; a run whose experiment cannot be read needs no more than its row."""
    if kind != "train":
        return ROW_BYTES
    try:
        return ROW_BYTES + cost.estimate(Experiment.model_validate_json(experiment_json)).checkpoint_bytes
    except ValueError:
        return ROW_BYTES


def doomed(found: Spaces, limits: Limits) -> list[str]:
    """The runs to delete, in order: first for owners above their quota, then for the limit on all runs."""
    going = sorted(filter(may_go, found), key=lambda space: (space.turn, space.created_at, space.run))
    total, owned = sum(space.size for space in found), _owned(found)
    chosen: dict[str, None] = {}
    for space in going:
        if limits.owner is not None and owned[space.owner] > limits.owner:
            chosen[space.run] = None
            owned[space.owner] -= space.size
            total -= space.size
    for space in going:
        if total > limits.total and space.run not in chosen:
            chosen[space.run] = None
            total -= space.size
    return list(chosen)


def refusal(found: Spaces, limits: Limits, owner: str, size: int, leaving: Collection[str] = ()) -> str | None:
    """Why `owner` may not start a run of `size` bytes: the runs that may not be deleted leave too little space. None if
    there is enough. `leaving`: runs that the user watches now and stops watching once the new run starts."""
    staying = [space for space in found if not may_go(space, leaving)]
    bounds: list[tuple[str, int, Iterable[Space], str]] = []
    if limits.owner is not None:
        mine = [space for space in staying if space.owner == owner]
        bounds.append(("PCVIZ_OWNER_LIMIT", limits.owner, mine, "your runs"))
    bounds.append(("PCVIZ_STORE_LIMIT", limits.total, staying, "runs"))
    for setting, limit, counted, whose in bounds:
        taken = sum(space.size for space in counted)
        wants, bound, has = (cost.bytes_text(count) for count in (size, limit, taken))
        if size > limit:
            return f"{setting}: a new run needs {wants}, above the {bound} for {whose}: choose a smaller network"
        if taken + size > limit:
            return (
                f"{setting}: {has} of {bound} are taken by {whose} that are pinned, unfinished or open, and a new one "
                f"needs {wants}: cancel or unpin some, or close them and wait two minutes"
            )
    return None


def may_go(space: Space, leaving: Collection[str] = ()) -> bool:
    """Whether a run may be deleted now, not counting the runs `leaving` as watched."""
    return space.turn is not None and (not space.looked_at or space.run in leaving)


def _owned(found: Spaces) -> Counter[str]:
    owned: Counter[str] = Counter()
    for space in found:
        owned[space.owner] += space.size
    return owned
