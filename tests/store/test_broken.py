"""Stores that cannot be used: one line each that says what and what to do; what was stored stays."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from pcviz.engine.lease import is_stale
from pcviz.experiment import Experiment
from pcviz.store import Store, StoreFault
from pcviz.store import tables as t
from tests.store.breaking import cut, new_store, overwrite, store_at


def refused(path: Path) -> str:
    """The one line with which this store is refused, reading and writing, however often it is tried."""
    store, lines = store_at(path), []
    for attempt in (
        lambda: store.reader.runs(1),
        lambda: store.requests.create(Experiment(), "s", "o", "paused", None),
        lambda: store.reader.runs(1),
    ):
        with pytest.raises(StoreFault) as caught:
            attempt()
        lines.append(str(caught.value))
    store.close()
    assert len(set(lines)) == 1 and "\n" not in lines[0] and str(path) in lines[0], lines
    return lines[0]


def test_a_folder(path: Path) -> None:
    path.mkdir()
    assert "is a folder; name a file in PCVIZ_DATABASE" in refused(path)


def test_a_folder_that_is_missing(path: Path) -> None:
    path.parent.rmdir()
    assert f"the folder {path.parent} does not exist; make it" in refused(path)
    path.parent.mkdir()
    assert new_store(path)


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"{}", os.urandom(5000), b"SQLite format 2\0" * 100])
def test_garbage(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is not a pcviz store" in refused(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    assert new_store(path)


@pytest.mark.parametrize("damage", [cut, overwrite])
def test_a_file_that_was_damaged(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    assert "is damaged; put a backup in its place" in refused(path)


@pytest.mark.parametrize("statement", ["DROP TABLE frames", "ALTER TABLE runs DROP COLUMN strikes"])
def test_a_table_that_lacks_something(path: Path, statement: str) -> None:
    run = new_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    store = store_at(path)
    with pytest.raises(StoreFault, match=r"is damaged \(no such (table|column): (frames|runs.strikes)\)"):
        store.reader.frames(run, 1) if "frames" in statement else store.reader.run(run)
    store.close()


def test_a_store_that_is_locked(path: Path) -> None:
    run = new_store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = store_at(path)
    with pytest.raises(StoreFault, match="is locked by another program; close that, and pcviz continues by itself"):
        store.requests.want(run, "running")
    assert store.reader.run(run).wanted == "paused", "reading goes on"
    other.execute("ROLLBACK")
    other.close()
    store.requests.want(run, "running")
    assert store.reader.run(run).wanted == "running"


def test_a_store_that_is_locked_for_readers_too(path: Path) -> None:
    new_store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program" in refused(path)
    other.close()
    assert len(store_at(path).reader.runs(9)) == 1


def test_a_disk_that_is_full(path: Path) -> None:
    run = new_store(path)
    store = store_at(path)
    store.database.open()
    with store.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        (pages,) = driver.execute("PRAGMA page_count").fetchone()
        driver.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFault, match="the disk is full; free some space, and pcviz continues by itself"):
        for _ in range(100):
            store.requests.create(Experiment(), "s", "o", "paused", None)
    assert store.reader.run(run).wanted == "paused"
    with store.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA max_page_count = 1000000")
    assert store.requests.create(Experiment(), "s", "o", "paused", None)


def test_a_store_that_may_not_be_written(path: Path, as_nobody: Callable[[], None]) -> None:
    run = new_store(path)
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    as_nobody()
    store = store_at(path)
    with pytest.raises(StoreFault, match=r"cannot be (written|opened).*PCVIZ_DATABASE"):
        store.requests.want(run, "running")


def test_a_folder_that_may_not_be_written(path: Path, as_nobody: Callable[[], None]) -> None:
    path.parent.chmod(0o555)
    as_nobody()
    assert "cannot be made (Permission denied); give permission, or name another file in" in refused(path)


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """From the call on, root is a user without rights: permissions mean nothing to root."""
    if os.geteuid() != 0:
        yield lambda: None
        return

    def become() -> None:
        for folder in [tmp_path, *tmp_path.parents]:
            if folder.stat().st_uid == 0 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(65534)

    yield become
    os.seteuid(0)


def test_only_who_founds_makes_a_store(path: Path) -> None:
    worker = Store(f"sqlite:///{path}", founding=False)
    with pytest.raises(StoreFault, match="is not there"):
        worker.reader.runs(1)
    assert not path.exists()
    new_store(path)
    assert len(worker.reader.runs(9)) == 1


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("experiment_json", '{"schema": 3}', "schema: 3 is not one of the allowed values (allowed: 1 to 2)"),
        ("experiment_json", '{"network": {"dropout": true}}', "network.dropout: unknown field"),
        ("experiment_json", '{"network": {"activation": "softsign"}}', "network.activation: softsign is not one of"),
        ("experiment_json", "", "its experiment is no JSON"),
        ("experiment_json", "[1]", "experiment: [1] is not a set of options"),
        ("options_json", "{", "unexpected end of data"),
        ("options_json", "3", "options: 3 is not a set of options"),
        ("kind", "dream", "kind: dream is unknown here"),
        ("wanted", "postponed", "wanted: postponed is unknown here"),
        ("state", "asleep", "state: asleep is unknown here"),
        ("steps", "many", "steps: many is of another type (allowed: int)"),
        ("allowed_until_step", "x", "allowed_until_step: x is of another type"),
        ("created_at", "then", "created_at: then is of another type"),
    ],
)
def test_a_run_that_cannot_be_read_says_why(path: Path, column: str, value: str, reason: str) -> None:
    run = new_store(path)
    store = store_at(path)
    with store.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, run))
    (record,) = store.reader.runs(9)
    assert store.reader.unreadable() == [record]
    assert record.unreadable is not None and reason in record.unreadable and "\n" not in record.unreadable
    with sqlite3.connect(path) as connection:
        assert connection.execute(f"SELECT {column} FROM runs").fetchall() == [(value,)]


def test_a_copy_is_whole_or_absent(path: Path) -> None:
    new_store(path)
    store = store_at(path)
    store.reader.runs(1)
    path.unlink()
    shutil.rmtree(path.parent)
    with pytest.raises(StoreFault, match=r"rescued-.* cannot be (opened|written)"):
        store.reader.runs(1)
    path.parent.mkdir()
    with pytest.raises(StoreFault, match="its content is in"):
        store.reader.runs(1)
    assert len([*path.parent.iterdir()]) == 1


def test_text_that_is_none_stops_nothing(path: Path) -> None:
    run = new_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET message = CAST(x'ff41' AS TEXT)")
    store = store_at(path)
    assert store.reader.run(run).message == "\N{REPLACEMENT CHARACTER}A"


@pytest.mark.parametrize("worker", ["abc", "", ":", "a:b", "host:x:y", "host:1"])
def test_a_strange_holder_holds_until_its_lease_ends(path: Path, worker: str) -> None:
    run = new_store(path)
    store = store_at(path)
    with store.database.writing() as connection:
        connection.execute(update(t.runs).where(t.runs.c.id == run).values(worker=worker, lease_until=9e9))
    assert not is_stale(store.reader.run(run))
    with store.database.writing() as connection:
        connection.execute(update(t.runs).where(t.runs.c.id == run).values(lease_until=0.0))
    assert is_stale(store.reader.run(run))


def test_children_that_cannot_be_read_are_listed_unless_they_go_with_their_parents(path: Path) -> None:
    parent = new_store(path)
    store = store_at(path)
    child = store.requests.create_child(parent, "training_plane", {})
    with store.database.writing() as connection:
        connection.execute(update(t.runs).where(t.runs.c.id == child).values(options_json="["))
    assert [record.id for record in store.reader.unreadable()] == [child]
    with store.database.writing() as connection:
        connection.execute(update(t.runs).where(t.runs.c.id == parent).values(kind="dream"))
    assert [record.id for record in store.reader.unreadable()] == [parent]
    store.requests.delete(parent)
    assert store.reader.select() == []


def test_a_free_list_that_is_damaged_is_said(path: Path) -> None:
    store = store_at(path)
    for _ in range(300):
        store.requests.create(Experiment(), "s", "o", "paused", None)
    with store.database.writing() as connection:
        connection.execute(delete(t.runs))
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(32)
        trunk = int.from_bytes(file.read(4), "big")
        file.seek(4096 * (trunk - 1))
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreFault, match="is damaged"):
        store.observations("w").give_back()
