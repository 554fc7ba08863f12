"""Real networks, one of them with long weight steps, whose worker or server is killed at random moments: nothing of it
shows in what is stored."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import cost, from_paths
from pcviz.settings import Settings
from tests.engine.conftest import wait_until
from tests.engine.real_history import assert_as_undisturbed

ROOT = Path(__file__).parents[2]
KILLS = 10
SHORT = {"network.depth": 6, "network.width": 64, "learning.batch_size": 128, "learning.steps": 12_000}
LONG = {"network.depth": 16, "network.width": 64, "inference.steps": 1500, "learning.steps": 16}


@contextmanager
def worker(client: Client, database_url: str) -> Iterator[Callable[[], None]]:
    """A supervised worker; yields what kills it."""
    supervisor = Supervisor(Settings(database=database_url), client.store)
    supervisor.start()

    def kill() -> None:
        process = supervisor.process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: supervisor.process is not process, 60)

    try:
        yield kill
    finally:
        supervisor.stop()


@contextmanager
def server(database_url: str, log: Path) -> Iterator[Callable[[], None]]:
    """The real app; yields what kills it and starts another one on the same store."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.address", "localhost", "--server.port", str(port), "--browser.gatherUsageStats", "false"]

    def start() -> psutil.Popen:
        with log.open("ab") as output:
            environment = {**os.environ, "PCVIZ_DATABASE": database_url}
            return psutil.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)

    process = start()

    def kill() -> None:
        nonlocal process
        workers = process.children(recursive=True)
        process.kill()
        process.wait()
        process = start()
        _, alive = psutil.wait_procs(workers, 20)
        assert not alive, "a worker outlives its server"

    try:
        yield kill
    finally:
        process.terminate()
        process.wait(20)


def survive(client: Client, kill: Callable[[], None], seed: int) -> None:
    """Both runs, from start to end, with ten kills on the way."""
    experiments, chance = [from_paths(SHORT), from_paths(LONG)], random.Random(seed)
    assert [cost.estimate(each).long_steps for each in experiments] == [False, True]
    runs = [client.start(experiment, "s") for experiment in experiments]
    hit, seen = [0, 0], 0
    for _ in range(KILLS):
        wait_until(lambda: all(client.get(run).state in ("running", "done") for run in runs), 120)
        wait_until(lambda seen=seen: sum(client.get(run).seq for run in runs) > seen, 120)
        time.sleep(chance.uniform(0, 3))
        before = [client.get(run) for run in runs]
        assert not all(record.ended for record in before), "the runs were too short to be killed"
        seen = sum(record.seq for record in before)
        hit = [number + (not record.ended) for number, record in zip(hit, before, strict=True)]
        print([(record.state, record.step, record.seq, record.restarts) for record in before])
        kill()
        wait_until(lambda before=before: all(_went_on(client, record.id, record.worker) for record in before), 120)
    wait_until(lambda: all(client.get(run).ended for run in runs), 900)
    print("kills that hit each run", hit)
    assert min(hit) >= KILLS // 2
    for run, experiment in zip(runs, experiments, strict=True):
        assert client.get(run).state == "done"
        assert_as_undisturbed(client, run, experiment)


def _went_on(client: Client, run: str, killed: str | None) -> bool:
    record = client.get(run)
    return record.ended or (record.worker is not None and record.worker != killed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_of_the_worker_leave_no_trace(client: Client, database_url: str) -> None:
    with worker(client, database_url) as kill:
        survive(client, kill, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_of_the_server_leave_no_trace(client: Client, database_url: str, tmp_path: Path) -> None:
    with server(database_url, tmp_path / "app.log") as kill:
        survive(client, kill, seed=2)
