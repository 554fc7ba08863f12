"""Deletes runs with everything that belongs to them, or only their frames and checkpoints."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, or_, select

from pcviz.store.tables import checkpoints, frames, parts, runs


def delete_family(connection: Connection, run: str) -> None:
    """Delete a run with its children, frames and checkpoints."""
    family = or_(runs.c.id == run, runs.c.parent == run)
    delete_contents(connection, connection.execute(select(runs.c.id).where(family)).scalars())
    connection.execute(delete(runs).where(runs.c.parent == run))
    connection.execute(delete(runs).where(runs.c.id == run))


def delete_checkpoints(connection: Connection, *conditions: Any) -> None:
    """Delete the checkpoints that fulfil SQL conditions."""
    doomed = connection.execute(select(checkpoints.c.id).where(*conditions)).scalars().all()
    if doomed:
        connection.execute(delete(parts).where(parts.c.checkpoint.in_(doomed)))
        connection.execute(delete(checkpoints).where(checkpoints.c.id.in_(doomed)))


def delete_contents(connection: Connection, ids: Iterable[str], before: int | None = None) -> None:
    """Delete frames and checkpoints of runs, of all generations or those `before` one."""
    found = list(ids)
    old_frames: list[Any] = [frames.c.run.in_(found)]
    old_checkpoints: list[Any] = [checkpoints.c.run.in_(found)]
    if before is not None:
        old_frames.append(frames.c.generation < before)
        old_checkpoints.append(checkpoints.c.generation < before)
    delete_checkpoints(connection, *old_checkpoints)
    connection.execute(delete(frames).where(*old_frames))
