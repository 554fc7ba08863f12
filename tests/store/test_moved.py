"""Stores whose file is deleted, replaced or moved while they are used: what was stored stays, and is found."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pcviz.experiment import Experiment
from pcviz.store import StoreFault
from tests.store.breaking import new_store, store_at


def test_a_store_deleted_while_it_is_used_is_rescued(path: Path) -> None:
    run = new_store(path)
    store = store_at(path)
    store.requests.want(run, "running")  # in the write-ahead log only
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(StoreFault, match="was deleted while pcviz was running; its content is in ") as caught:
        store.reader.runs(1)
    (rescued,) = path.parent.glob("pcviz.rescued-*.db")
    assert str(rescued) in str(caught.value)
    with pytest.raises(StoreFault, match="give that file the old name"):
        store.requests.want(run, "cancelled")
    assert [found.name for found in path.parent.iterdir()] == [rescued.name], "nothing new in its place"
    rescued.rename(path)
    assert store.reader.run(run).wanted == "running"
    store.requests.want(run, "cancelled")
    assert store_at(path).reader.run(run).wanted == "cancelled"


def test_a_store_replaced_while_it_is_used(path: Path, tmp_path: Path) -> None:
    run, other = new_store(path), new_store(tmp_path / "other.db")
    store = store_at(path)
    observations = store.observations("worker")
    assert observations.changed() and store.reader.run(run)
    (tmp_path / "other.db").replace(path)
    with pytest.raises(StoreFault, match="deleted or replaced"):
        observations.changed()
    assert [record.id for record in store.reader.runs(9)] == [other]
    with pytest.raises(StoreFault, match="deleted or replaced"):
        observations.claim(store.reader.run(other))
    observations.close()
    assert observations.changed()
    (rescued,) = path.parent.glob("pcviz.rescued-*.db")
    assert [record.id for record in store_at(rescued).reader.runs(9)] == [run]


def test_a_backup_put_in_place_stays_what_it_is(path: Path, tmp_path: Path) -> None:
    """The log of the file that was there has its name from it: it must not be played over the new one."""
    new_store(path)
    backup = tmp_path / "backup.db"
    for _ in range(3):
        new_store(backup)
    store = store_at(path)
    with closing(sqlite3.connect(path)) as reader:  # keeps the log from being emptied
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        for _ in range(40):
            store.requests.create(Experiment(), "s", "o", "paused", None)
        assert path.with_name("pcviz.db-wal").stat().st_size > 0
        backup.replace(path)
        assert len(store.reader.runs(99)) == 3
        store.requests.create(Experiment(), "s", "o", "paused", None)
    store.close()
    assert len(store_at(path).reader.runs(99)) == 4
    (rescued,) = path.parent.glob("pcviz.rescued-*.db")
    assert len(store_at(rescued).reader.runs(99)) == 41


def test_other_processes_see_what_is_written_after_a_look_at_the_file(path: Path, tmp_path: Path) -> None:
    """Locks of a process on a file are lost when it closes the file by another hand: the log would be deleted."""
    new_store(path)
    store = store_at(path)
    store.reader.runs(1)
    for _ in range(2):
        path.rename(tmp_path / "away.db")
        with pytest.raises(StoreFault):
            store.reader.runs(1)
        (tmp_path / "away.db").rename(path)
        store.reader.runs(1)
    code = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM runs').fetchone())"
    command = [sys.executable, "-c", code, str(path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "1"
    store.requests.create(Experiment(), "s", "o", "paused", None)
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "2"


def test_a_store_moved_away_and_back_is_the_same(path: Path, tmp_path: Path) -> None:
    run = new_store(path)
    store = store_at(path)
    store.reader.runs(1)
    path.rename(tmp_path / "away.db")
    with pytest.raises(StoreFault):
        store.reader.runs(1)
    (tmp_path / "away.db").rename(path)
    assert store.reader.run(run)


LOOKING = """
import sys
from pcviz.store import Store
store = Store(sys.argv[1], founding=False)
observations = store.observations("worker")
for line in sys.stdin:
    try:
        news = observations.changed()
        print(news, len(store.reader.runs(9)), flush=True)
    except Exception as fault:
        observations.close()
        print(type(fault).__name__, flush=True)
"""


@pytest.mark.parametrize("noticed", [True, False], ids=["both noticed", "one noticed"])
@pytest.mark.parametrize("founding", [True, False], ids=["the founder first", "the other first"])
def test_who_missed_that_a_store_was_away_still_sees_what_others_write(
    path: Path, tmp_path: Path, noticed: bool, founding: bool
) -> None:
    """Who notices it cuts off the log; whoever goes on with the log that was would never hear of the others again."""
    new_store(path)
    store = store_at(path)
    store.reader.runs(1)
    command = [sys.executable, "-c", LOOKING, f"sqlite:///{path}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as other:
        assert other.stdin is not None and other.stdout is not None

        def look() -> str:
            print(file=other.stdin)
            return other.stdout.readline().strip()

        assert look() == "True 1"
        path.rename(tmp_path / "away.db")
        if founding or noticed:
            with pytest.raises(StoreFault):
                store.reader.runs(1)
        if not founding or noticed:
            assert look() == "MissingStore"
        (tmp_path / "away.db").rename(path)
        store.requests.create(Experiment(), "s", "o", "paused", None)
        if look() == "MissingStore":  # it is told, once
            assert look() == "True 2"
        store.requests.create(Experiment(), "s", "o", "paused", None)
        assert look() == "True 3"
        assert len(store.reader.runs(9)) == 3
