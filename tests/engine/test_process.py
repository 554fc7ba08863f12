"""The worker as a process of its own: killed at any moment, restarted, told to end."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.settings import Settings
from pcviz.store import Store
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, wait_until
from tests.engine.history import assert_history_is_whole
from tests.postgresql import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCVIZ_JOBS", "tests.engine.fake_jobs")


@contextmanager
def supervised(client: Client, database_url: str) -> Iterator[Supervisor]:
    supervisor = Supervisor(Settings(database=database_url), client.store)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        assert supervisor.process is not None and supervisor.process.poll() is not None


def kill_worker(supervisor: Supervisor) -> None:
    assert supervisor.process is not None
    os.kill(supervisor.process.pid, signal.SIGKILL)


def survive(client: Client, database_url: str, kills: int, seed: int) -> None:
    """Kill the worker at random moments of a run with a child; the run's history must not show it."""
    chance, steps = random.Random(seed), 400 * (kills + 1)
    with supervised(client, database_url) as supervisor:
        run = client.start(experiment(steps), "s")
        child = client.add_child(run, "training_plane")
        for number in range(kills):
            seen = client.get(run).seq
            wait_until(lambda seen=seen: client.get(run).seq > seen or client.get(run).ended)
            time.sleep(chance.uniform(0, 0.6))
            kill_worker(supervisor)
            wait_until(lambda number=number: client.get(run).restarts > number or client.get(run).ended)
        wait_until(lambda: client.get(run).ended and client.get(child).ended, 60)
    record = client.get(run)
    assert record.state == "done" and client.get(child).state == "done"
    assert record.restarts == kills and "The worker was restarted; resumed from step " in record.message
    assert_history_is_whole(client, run, steps)
    history = client.frames(child, [])
    assert history["seq"].tolist() == list(range(1, len(history["seq"]) + 1))


@pytest.mark.slow
def test_a_run_survives_three_kills_bitwise(client: Client, database_url: str) -> None:
    survive(client, database_url, 3, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_survives_ten_kills_bitwise(client: Client, database_url: str, seed: int) -> None:
    survive(client, database_url, 10, seed)


def test_a_paused_run_stays_paused_through_a_restart(client: Client, database_url: str) -> None:
    with supervised(client, database_url) as supervisor:
        run = client.start(experiment(10_000), "s")
        wait_until(lambda: client.get(run).seq >= 2)
        client.pause(run)
        wait_until(lambda: client.get(run).state == "paused")
        before = client.get(run)
        kill_worker(supervisor)
        wait_until(lambda: client.get(run).worker is None)
        assert (client.get(run).state, client.get(run).step, client.get(run).restarts) == ("paused", before.step, 0)
        client.step(run)
        wait_until(lambda: client.get(run).step == before.step + 1)
        wait_until(lambda: client.get(run).state == "paused")


def test_pause_step_and_cancel_act_soon(client: Client, database_url: str) -> None:
    """Before a run beside them has got far: on a busy machine the worker has less of every second for all of them."""
    with supervised(client, database_url):
        *runs, beside = (client.start(experiment(100_000), session) for session in "abcd")
        wait_until(lambda: all(client.get(run).seq >= 2 for run in (*runs, beside)))

        def soon(condition: Callable[[], bool]) -> None:
            before = client.get(beside).step
            wait_until(condition)
            assert client.get(beside).step - before < 2 / fake_jobs.UNIT_SECONDS, "what it makes in two seconds, alone"

        client.pause(runs[0])
        soon(lambda: client.get(runs[0]).state == "paused")
        step = client.get(runs[0]).step
        client.step(runs[0])
        soon(lambda: client.get(runs[0]).step == step + 1)
        client.cancel(runs[1])
        soon(lambda: client.get(runs[1]).state == "cancelled")
        client.reset(runs[2], wanted="paused")
        soon(lambda: client.get(runs[2]).state == "paused")


def test_a_worker_ends_when_its_standard_input_closes(client: Client) -> None:
    worker = subprocess.Popen([sys.executable, "-m", "pcviz.engine.worker"], stdin=subprocess.PIPE, cwd=ROOT)
    try:
        run = client.start(experiment(100_000), "a")
        wait_until(lambda: client.get(run).seq >= 1)
        compiling = client.start(experiment(100_000, fake_jobs.SLOW), "b")
        wait_until(lambda: client.get(compiling).state == "compiling")  # which lasts for two seconds
        assert worker.stdin is not None
        worker.stdin.close()
        assert worker.wait(5) == 0
    finally:
        worker.kill()
    for left in (run, compiling):
        assert (client.get(left).state, client.get(left).worker) == ("queued", None)


def test_a_worker_that_cannot_start_is_retried_ever_more_slowly(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spawned: list[float] = []

    def spawn(_self: Supervisor) -> subprocess.Popen[bytes]:
        spawned.append(time.monotonic())
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdin=subprocess.PIPE)

    monkeypatch.setattr(Supervisor, "_spawn", spawn)
    with supervised(client, database_url):
        wait_until(lambda: len(spawned) >= 4)
    delays = [float(record.args[1]) for record in caplog.records if "starting another one" in record.msg]  # type: ignore[index, arg-type]
    assert delays[:3] == [0.2, 0.4, 0.8]
    assert all(after - before >= delay for (before, after), delay in zip(pairwise(spawned), delays, strict=False))


def test_two_servers_share_one_store_and_one_of_them_may_end(client: Client, database_url: str) -> None:
    with supervised(client, database_url):
        with supervised(client, database_url):
            runs = [client.start(experiment(400, seed), f"session {seed}") for seed in range(4)]
            wait_until(lambda: all(client.get(run).seq >= 2 for run in runs))
        wait_until(lambda: all(client.get(run).ended for run in runs), 60)
    for seed, run in enumerate(runs):
        assert (client.get(run).state, client.get(run).restarts) == ("done", 0)
        assert_history_is_whole(client, run, 400, seed)


@pytest.mark.slow
def test_two_servers_outlive_a_kill_of_their_database_and_one_of_a_worker(
    postgresql_server: Server, postgresql_url: str
) -> None:
    client, seeds = Client(Store(postgresql_url)), range(4)
    with supervised(client, postgresql_url) as first, supervised(client, postgresql_url):
        runs = [client.start(experiment(600, seed), f"session {seed}") for seed in seeds]
        wait_until(lambda: all(client.get(run).seq >= 2 for run in runs))
        postgresql_server.kill()
        time.sleep(0.5)
        postgresql_server.start()
        seen = [client.get(run).seq for run in runs]
        wait_until(lambda: all(client.get(run).seq > before for run, before in zip(runs, seen, strict=True)))
        kill_worker(first)
        wait_until(lambda: all(client.get(run).ended for run in runs), 60)
    for seed, run in zip(seeds, runs, strict=True):
        assert client.get(run).state == "done" and client.get(run).restarts <= 1
        assert_history_is_whole(client, run, 600, seed)
    client.store.close()


@pytest.mark.parametrize("given", [None, "4"])
def test_a_worker_has_one_heap_unless_told_otherwise(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if given is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", given)
    with supervised(client, database_url) as supervisor:
        wait_until(lambda: supervisor.process is not None)
        assert supervisor.process is not None
        assert psutil.Process(supervisor.process.pid).environ()["MALLOC_ARENA_MAX"] == (given or "1")
