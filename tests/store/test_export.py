"""A run taken out of the store is whole, readable or not."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from pcviz.frames import Frame
from pcviz.store import Observations, Store, UnknownRun
from pcviz.store import tables as t
from pcviz.store.export import export
from tests.store.test_store import start


def content(path: Path, run: str) -> dict[str, list[tuple[object, ...]]]:
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
        return {
            table: connection.execute(f"SELECT * FROM {table} WHERE {clause} ORDER BY 1, 2, 3", {"run": run}).fetchall()
            for table, clause in where.items()
        }


@pytest.mark.parametrize(
    "strange",
    [{}, {"experiment_json": '{"schema": 7, "a": "ü"}', "state": "asleep", "pinned": None, "step": 2**40}],
    ids=["readable", "unreadable"],
)
def test_an_export_holds_every_value(
    store: Store, worker: Observations, tmp_path: Path, strange: dict[str, object]
) -> None:
    run, other = start(store, worker), start(store, worker)
    for one in (run, other):
        store.wishes.create_child(one, "landscape", {"size": 5})
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
    target = tmp_path / "run.db"
    export(store.database, run, target)
    assert not list(tmp_path.glob("run.db-*")), "one file holds all"
    before = content(tmp_path / "pcviz.db", run)
    assert content(target, run) == before
    assert [len(before[table]) for table in before] == [2, 1, 1, 1]
    assert content(target, other)["runs"] == []


def test_an_unknown_run_is_not_exported(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownRun):
        export(store.database, "0" * 32, tmp_path / "run.db")
    assert not (tmp_path / "run.db").exists()
