"""How much room runs take, which of them go when there is too little, and when no new one may start.

A run and its children come and go together. Counted is what is stored of them, complete or not; a training that has not
ended counts as no less than the checkpoints that it will have, so that many that start at once find no more room than
there is.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeAlias

from sqlalchemy import Connection, Float, and_, case, cast, func, or_, select

from pcviz.experiment import Experiment, cost
from pcviz.settings import Settings
from pcviz.store.records import TERMINAL
from pcviz.store.tables import checkpoints, runs

ROW_BYTES = 400
"""A row of `runs` in its table and indexes, besides its documents."""
FRAME_BYTES = 200
"""A frame in its table and indexes, besides its channels."""
LOOKED_AT_SECONDS = 120.0
"""Tabs that are open say so every 30 seconds, hidden ones once a minute."""
DAY = 86_400.0


class StoreFull(Exception):
    """There is no room for another run. The message is one line: which setting, how much is taken, what to do."""


@dataclass(frozen=True)
class Limits:
    """Bytes for all runs, bytes for those of one owner (None: no quota), and the days after which a paused run that
    nobody looked at may go."""

    total: int
    owner: int | None
    paused_days: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Owners have a quota on a shared server only: elsewhere everything belongs to one person."""
        return cls(settings.store_limit, settings.owner_limit if settings.shared else None, settings.paused_days)


@dataclass(frozen=True)
class Space:
    """What a run takes with its children. `turn`: 0 ended, 1 cancelled but never released, 2 paused and forgotten: runs
    of a lower turn go first; None: it may not go. `looked_at`: somebody does, so that it may not go now."""

    run: str
    owner: str
    created_at: float
    size: int
    turn: int | None
    looked_at: bool


Spaces: TypeAlias = list[Space]


def spaces(connection: Connection, limits: Limits, run: str | None = None) -> Spaces:
    """The space of every run that a person started, or of one."""
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
            size=max(row.stored, needed(row.kind, row.unfinished) if row.unfinished else 0),
            turn=row.turn,
            looked_at=row.seen_at >= now - LOOKED_AT_SECONDS,
        )
        for row in found
    ]


@lru_cache(256)
def needed(kind: str, experiment_json: str) -> int:
    """Bytes that a run will at least take; an experiment that cannot be read will take no more than it has."""
    if kind != "train":
        return ROW_BYTES
    try:
        return ROW_BYTES + cost.estimate(Experiment.model_validate_json(experiment_json)).checkpoint_bytes
    except ValueError:
        return ROW_BYTES


def doomed(found: Spaces, limits: Limits) -> list[str]:
    """The runs to delete, in order: first what owners above their quota have too much, then what is too much in all."""
    going = sorted((one for one in found if may_go(one)), key=_order)
    total, owned = sum(one.size for one in found), _owned(found)
    chosen: dict[str, None] = {}
    for one in going:
        if limits.owner is not None and owned[one.owner] > limits.owner:
            chosen[one.run] = None
            owned[one.owner] -= one.size
            total -= one.size
    for one in going:
        if total > limits.total and one.run not in chosen:
            chosen[one.run] = None
            total -= one.size
    return list(chosen)


def refusal(found: Spaces, limits: Limits, owner: str, size: int, leaving: Collection[str] = ()) -> str | None:
    """Why `owner` may not start a run that takes `size` bytes, None if it may: what cannot go leaves too little room.

    `leaving`: runs that whoever starts it looks at now and turns away from.
    """
    staying = [one for one in found if not may_go(one, leaving)]
    bounds: list[tuple[str, int, Iterable[Space], str]] = []
    if limits.owner is not None:
        mine = [one for one in staying if one.owner == owner]
        bounds.append(("PCVIZ_OWNER_LIMIT", limits.owner, mine, "your runs"))
    bounds.append(("PCVIZ_STORE_LIMIT", limits.total, staying, "runs"))
    for setting, limit, those, whose in bounds:
        taken = sum(one.size for one in those)
        wants, bound, has = (cost.bytes_text(count) for count in (size, limit, taken))
        if size > limit:
            return f"{setting}: a new run needs {wants}, above the {bound} for {whose}: choose a smaller network"
        if taken + size > limit:
            return (
                f"{setting}: {has} of {bound} are taken by {whose} that are pinned, unfinished or open, and a new one "
                f"needs {wants}: cancel or unpin some, or close them and wait two minutes"
            )
    return None


def may_go(one: Space, leaving: Collection[str] = ()) -> bool:
    """Whether a run may be deleted now, or as soon as those who look at `leaving` have turned away."""
    return one.turn is not None and (not one.looked_at or one.run in leaving)


def _order(one: Space) -> tuple[Any, ...]:
    return one.turn, one.created_at, one.run


def _owned(found: Spaces) -> Counter[str]:
    owned: Counter[str] = Counter()
    for one in found:
        owned[one.owner] += one.size
    return owned
