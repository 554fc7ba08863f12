"""A store that fails while a worker computes: it says so once, loses nothing, and goes on by itself."""

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pcviz.engine import outage
from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.settings import Settings
from pcviz.store import Store, StoreFault, database
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, wait_until
from tests.engine.fake_jobs import JOBS
from tests.engine.history import assert_history_is_whole

STEPS = 1500


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(outage, "LAST_DELAY", 0.4)
    monkeypatch.setattr(outage, "QUIET_SECONDS", 0.5)


@contextmanager
def working(url: str) -> Iterator[list[str]]:
    """A worker with a store of its own in a thread; yields what it tells."""
    told: list[str] = []
    store, stop = Store(url, founding=False), threading.Event()
    worker = Worker(store, Settings(), lambda: JOBS, tell=told.append)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
        store.close()


def outlives(
    client: Client,
    path: Path,
    fail: Callable[[], object],
    mend: Callable[[], object],
    *,
    seed: int = 0,
    steps: int = STEPS,
) -> list[str]:
    """What a worker told about a failure in the middle of a run that ends as if there had been none."""
    run = client.start(experiment(steps, seed), "s")
    with working(f"sqlite:///{path}") as told:
        wait_until(lambda: client.get(run).seq >= 3)
        fail()
        wait_until(lambda: bool(told))
        time.sleep(1)
        mend()
        wait_until(lambda: client.get(run).ended, 60)
        wait_until(lambda: told[-1] == "")
    assert client.get(run).state == "done" and client.get(run).restarts == 0
    assert_history_is_whole(client, run, steps, seed)
    assert all("\n" not in line for line in told)
    return told


def test_a_lock_that_another_program_holds(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"
    client.store.reader.runs(1)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    told = outlives(client, path, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("ROLLBACK"))
    assert told == [f"{path} is locked by another program; close that, and pcviz continues by itself", ""]
    other.close()


def test_a_file_that_is_deleted_and_put_back(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"

    def delete() -> None:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink()

    def put_back() -> None:
        with pytest.raises(StoreFault, match="its content is in"):
            client.store.reader.runs(1)
        (rescued,) = tmp_path.glob("pcviz.rescued-*.db")
        rescued.rename(path)

    told = outlives(client, path, delete, put_back)
    assert "was deleted or replaced while pcviz was running" in told[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount one: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_disk_that_fills_and_empties_again(small_disk: Path) -> None:
    path, ballast = small_disk / "pcviz.db", small_disk / "ballast"
    client = Client(Store(f"sqlite:///{path}"))

    def fill() -> None:
        with ballast.open("wb", buffering=0) as opened:
            try:
                while True:
                    opened.write(bytes(4096))
            except OSError:
                pass

    told = outlives(client, path, fill, ballast.unlink, seed=fake_jobs.BIG, steps=300)
    assert told[0] == f"{path} cannot grow: the disk is full; free some space, and pcviz continues by itself"
    client.store.close()


def test_a_store_that_comes_after_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "late" / "pcviz.db"
    with working(f"sqlite:///{path}") as told:
        wait_until(lambda: bool(told))
        path.parent.mkdir()
        client = Client(Store(f"sqlite:///{path}"))
        run = client.start(experiment(20), "s")
        wait_until(lambda: client.get(run).state == "done")
        wait_until(lambda: told[-1] == "")
    assert "does not exist" in told[0]
    assert os.listdir(path.parent)
    client.store.close()
