"""Copies a run into a new store, unchanged except for its owner, even if this version cannot read it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import exists, insert, select

from pcviz.places import quoted
from pcviz.store.database import Database
from pcviz.store.records import UnknownRun
from pcviz.store.tables import checkpoints, datasets, frames, parts, runs

ROWS_AT_ONCE = 100
WHOSE = {"owner": "", "control": "", "session": ""}
"""Values that replace the columns on who started the run: a copy that is passed on must not identify that person."""
_FAMILY = "(SELECT id FROM main.runs WHERE id = :run OR parent = :run)"
_BELONGING = {
    runs: f"id IN {_FAMILY}",
    frames: f"run IN {_FAMILY}",
    checkpoints: f"run IN {_FAMILY}",
    parts: f"checkpoint IN (SELECT id FROM main.checkpoints WHERE run IN {_FAMILY})",
    datasets: f"EXISTS (SELECT 1 FROM main.runs WHERE id IN {_FAMILY} AND instr(experiment_json, datasets.name))",
}


def export(database: Database, run: str, target: Path) -> None:
    """Write a run with its children, frames, checkpoints and data into a new store at `target`, every value unchanged;
    only its owner is left out.

    Raises UnknownRun, and StoreFault if either store cannot be used.
    """
    with database.reading() as connection:
        if connection.execute(select(runs.c.id).where(runs.c.id == run)).first() is None:
            raise UnknownRun(run)
    copy = Database(f"sqlite:///{quoted(target)}")
    try:
        copy.open()
        if database.file is None:
            _over_the_wire(database, run, copy)
        else:
            _within_sqlite(database, run, target)
    finally:
        copy.close()


def _within_sqlite(database: Database, run: str, target: Path) -> None:
    """Let SQLite itself copy the values, so that even those survive that no driver can read."""
    assert database.file is not None
    address = f"{database.file.path.as_uri()}?mode=rw"
    with database.explaining(), closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("ATTACH DATABASE ? AS copy", (f"{target.absolute().as_uri()}?mode=rw",))
        for table, mine in _BELONGING.items():
            names = [column.name for column in table.columns]
            values = ["''" if table is runs and name in WHOSE else name for name in names]
            rows = f"SELECT {', '.join(values)} FROM main.{table.name} WHERE {mine}"
            connection.execute(f"INSERT INTO copy.{table.name} ({', '.join(names)}) {rows}", {"run": run})
        connection.commit()


def _over_the_wire(database: Database, run: str, copy: Database) -> None:
    family = select(runs.c.id).where((runs.c.id == run) | (runs.c.parent == run))
    weights = select(checkpoints.c.id).where(checkpoints.c.run.in_(family))
    with database.reading() as source, copy.writing() as sink:
        for table, mine in (
            (runs, runs.c.id == run),  # first, because children refer to it
            (runs, runs.c.parent == run),
            (frames, frames.c.run.in_(family)),
            (checkpoints, checkpoints.c.run.in_(family)),
            (parts, parts.c.checkpoint.in_(weights)),
            (datasets, exists().where(runs.c.id.in_(family), runs.c.experiment_json.contains(datasets.c.name))),
        ):
            found = source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table).where(mine))
            instead = WHOSE if table is runs else {}
            for rows in found.mappings().partitions():
                sink.execute(insert(table), [{**row, **instead} for row in rows])
