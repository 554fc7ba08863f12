"""A store that fails while a worker computes: it says so once, loses nothing, and goes on by itself."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pcviz.engine import outage
from pcviz.engine.client import Client
from pcviz.store import Store, StoreFault, database, server
from pcviz.store.observations import LEASE_SECONDS
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, wait_until, working
from tests.engine.history import assert_history_is_whole
from tests.postgresql import Server

STEPS = 1500


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(outage, "LAST_DELAY", 0.4)
    monkeypatch.setattr(outage, "QUIET_SECONDS", 0.5)


def outlives(
    client: Client,
    url: str,
    fail: Callable[[], object],
    mend: Callable[[], object],
    *,
    seed: int = 0,
    steps: int = STEPS,
) -> list[str]:
    """What a worker told about a failure in the middle of a run that ends as if there had been none."""
    run = client.start(experiment(steps, seed), "s")
    with working(url) as told:
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


@pytest.mark.sqlite
def test_a_lock_that_another_program_holds(client: Client, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"
    client.store.reader.runs(1)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    told = outlives(client, database_url, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("ROLLBACK"))
    assert told == [f"{path} is locked by another program; close that, and pcviz continues by itself", ""]
    other.close()


@pytest.mark.sqlite
def test_a_file_that_is_deleted_and_put_back(client: Client, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "pcviz.db"

    def delete() -> None:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink()

    def put_back() -> None:
        with pytest.raises(StoreFault, match="its content is in"):
            client.store.reader.runs(1)
        (rescued,) = tmp_path.glob("pcviz.rescued-*.db")
        rescued.rename(path)

    told = outlives(client, database_url, delete, put_back)
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

    told = outlives(client, f"sqlite:///{path}", fill, ballast.unlink, seed=fake_jobs.BIG, steps=300)
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


@pytest.mark.parametrize("end", [Server.kill, pytest.param(Server.stop, marks=pytest.mark.slow)])
def test_a_server_of_databases_that_ends_and_comes_back(
    postgresql_server: Server, postgresql_url: str, end: Callable[[Server], None]
) -> None:
    client = Client(Store(postgresql_url))

    def fail() -> None:
        end(postgresql_server)
        for _ in range(2):
            with pytest.raises(StoreFault, match=r"/test_\d+\S* does not answer \(.*\); check the database server"):
                client.store.reader.runs(1)

    told = outlives(client, postgresql_url, fail, postgresql_server.start, steps=600)
    assert "does not answer" in told[0] and told[-1] == ""
    client.store.close()


def test_a_writer_that_vanishes_in_the_middle_holds_nobody_up_for_long(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.IDLE_SECONDS < server.BUSY_SECONDS < LEASE_SECONDS, "its turn ends before anybody gives up"
    monkeypatch.setattr(server, "CONNECTION", {"options": "-c idle_in_transaction_session_timeout=1s"})
    client, other = Client(Store(postgresql_url)), Store(postgresql_url)
    run = client.start(experiment(600), "s")
    with working(postgresql_url) as told:
        wait_until(lambda: client.get(run).seq >= 3)
        with pytest.raises(StoreFault, match="does not answer"), other.database.writing() as connection:
            seen = client.get(run).seq
            wait_until(lambda: client.get(run).seq > seen + 1)
            connection.exec_driver_sql("SELECT 1")
        wait_until(lambda: client.get(run).ended)
        assert told == []
    assert client.get(run).state == "done" and client.get(run).restarts == 0
    assert_history_is_whole(client, run, 600)
    for store in (client.store, other):
        store.close()
