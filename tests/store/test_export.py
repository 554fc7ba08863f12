"""A run taken out of the store is whole, readable or not."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from pcviz.frames import Frame
from pcviz.store import Observations, Store, UnknownRun
from pcviz.store import tables as t
from pcviz.store.export import WHOSE, export
from tests.store.test_store import start


def content(path: Path, run: str) -> dict[str, list[dict[str, object]]]:
    """All that a file holds of a run and its children, read without pcviz."""
    mine = "(SELECT id FROM runs WHERE id = :run OR parent = :run)"
    where = {
        "runs": f"id IN {mine}",
        "frames": f"run IN {mine}",
        "checkpoints": f"run IN {mine}",
        "checkpoint_parts": f"checkpoint IN (SELECT id FROM checkpoints WHERE run IN {mine})",
    }
    with sqlite3.connect(path) as connection:
        connection.text_factory = bytes
        connection.row_factory = lambda cursor, row: dict(
            zip((name for name, *_ in cursor.description), row, strict=True)
        )
        return {
            table: connection.execute(f"SELECT * FROM {table} WHERE {clause} ORDER BY 1, 2, 3", {"run": run}).fetchall()
            for table, clause in where.items()
        }


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "strange",
    [{}, {"experiment_json": '{"schema": 7, "a": "ü"}', "state": "asleep", "pinned": None, "step": 2**40}],
    ids=["readable", "unreadable"],
)
def test_an_export_holds_every_value_but_whose_it_was(
    store: Store, worker: Observations, tmp_path: Path, strange: dict[str, object]
) -> None:
    run, other = start(store, worker), start(store, worker)
    for one in (run, other):
        store.requests.create_child(one, "training_plane", {"size": 5})
        worker.publish(Frame("train", 1, {"energy": np.ones(3)}, run=one, generation=1, seq=1))
        for _ in worker.checkpoint(one, 1, 1, 1, {"w": np.arange(3.0)}):
            pass
        worker.complete_checkpoint(one, 1, 1)
    changes = {name: value for name, value in strange.items() if value is not None}
    if changes:
        with store.database.writing() as connection:
            connection.execute(update(t.runs).where(t.runs.c.id == run).values(**changes))
            odd = "UPDATE runs SET pinned = 7, seconds = 'long', message = CAST(x'ff41' AS TEXT) WHERE id = ?"
            connection.exec_driver_sql(odd, (run,))
    with store.database.writing() as connection:
        connection.execute(update(t.runs).values({name: f"{name} of somebody" for name in WHOSE}))
    target = tmp_path / "run.db"
    export(store.database, run, target)
    assert not list(tmp_path.glob("run.db-*")), "one file holds all"
    before = content(tmp_path / "pcviz.db", run)
    for row in before["runs"]:
        assert row["owner"] and row["session"]
        row.update(dict.fromkeys(WHOSE, b""))
    for secret in (b"session of", b"owner of", b"control of"):
        assert secret in (tmp_path / "pcviz.db").read_bytes() + (tmp_path / "pcviz.db-wal").read_bytes()
        assert secret not in target.read_bytes()
    assert content(target, run) == before
    assert [len(before[table]) for table in before] == [2, 1, 1, 1]
    assert content(target, other)["runs"] == []


@pytest.mark.sqlite
def test_from_a_server_of_databases_the_same_comes(store: Store, worker: Observations, tmp_path: Path) -> None:
    run = start(store, worker)
    store.requests.create_child(run, "training_plane", {"size": 5})
    worker.publish(Frame("train", 1, {"energy": np.ones(3)}, run=run, generation=1, seq=1))
    paths = [tmp_path / "file.db", tmp_path / "wire.db"]
    export(store.database, run, paths[0])
    store.database.file, file = None, store.database.file
    try:
        export(store.database, run, paths[1])
    finally:
        store.database.file = file
    assert content(paths[0], run) == content(paths[1], run)


def test_an_unknown_run_is_not_exported(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownRun):
        export(store.database, "0" * 32, tmp_path / "run.db")
    assert not (tmp_path / "run.db").exists()
