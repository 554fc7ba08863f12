"""A run taken out of the store, whole and as it is, whether this version can read it or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, select, type_coerce
from sqlalchemy.types import NullType

from pcviz.store.database import Database
from pcviz.store.records import UnknownRun
from pcviz.store.tables import checkpoints, frames, parts, runs

ROWS_AT_ONCE = 100


def export(database: Database, run: str, target: Path) -> None:
    """Write a run with its children, frames and checkpoints into a new store at `target`, every value as it is.

    Raises UnknownRun, and StoreFault if either store cannot be used.
    """
    with database.reading() as source:
        family = select(runs.c.id).where((runs.c.id == run) | (runs.c.parent == run))
        if source.execute(family).first() is None:
            raise UnknownRun(run)
        weights = select(checkpoints.c.id).where(checkpoints.c.run.in_(family))
        copy = Database(f"sqlite:///{target}")
        try:
            with copy.writing() as sink:
                for table, mine in (
                    (runs, runs.c.id == run),  # first, because children point at it
                    (runs, runs.c.parent == run),
                    (frames, frames.c.run.in_(family)),
                    (checkpoints, checkpoints.c.run.in_(family)),
                    (parts, parts.c.checkpoint.in_(weights)),
                ):
                    names = ", ".join(table.c.keys())
                    marks = ", ".join("?" for _ in table.c)
                    found = source.execution_options(yield_per=ROWS_AT_ONCE).execute(_as_stored(table).where(mine))
                    for rows in found.partitions():
                        values = [tuple(row) for row in rows]
                        sink.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)
        finally:
            copy.close()


def _as_stored(table: Table) -> Select[*tuple[Any, ...]]:
    """All columns, without the conversions of their types, which a strange value might not survive."""
    return select(*(type_coerce(column, NullType()) for column in table.c))
