"""Sweeps in other processes, some of which are killed: every cell is there once, with the numbers that it has here."""

import os
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from pcviz.engine.client import Client
from pcviz.engine.elsewhere import Cluster
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import from_paths
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options
from pcviz.settings import Settings
from pcviz.store.tables import cells
from tests.engine.conftest import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]
BASE = from_paths(
    {
        "network.depth": 4,
        "network.width": 16,
        "data.name": "moons",
        "inference.steps": 8,
        "learning.steps": 1500,
        "learning.batch_size": 32,
    }
)
OPTIONS = Options(vary=("learning.learning_rate=log:1e-3..1e-1:4", "network.width=16,17", "seed=0..7"))
COUNT = 64


class Noted:
    """A memory that counts what it is told."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        return {}

    def keep(self, results: Mapping[str, Any]) -> None:
        self.told.update(list(results))


@pytest.fixture(scope="module")
def here() -> list[dict[str, Any]]:
    job = Sweep(BASE, OPTIONS)
    job.run()
    told: list[dict[str, Any]] = job.document["cells"]
    return told


def test_a_dask_worker_is_killed(here: list[dict[str, Any]]) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        job, noted, cluster = Sweep(BASE, OPTIONS), Noted(), Cluster(local.scheduler_address)
        job.memory, job.elsewhere = noted, cluster
        job.prepare()
        while len(job.results) < COUNT // 4:
            job.advance(job.steps, 0.1)
        with distributed.Client(local.scheduler_address) as client:
            (killed, *_) = client.run(os.getpid).values()
        os.kill(killed, signal.SIGKILL)
        assert not job.done
        job.run()
        cluster.close()
    assert len(noted.told) == COUNT and set(noted.told.values()) == {1}
    assert job.document["cells"] == here, "bit for bit"


def test_the_worker_of_the_app_is_killed(
    client: Client, database_url: str, here: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCVIZ_SWEEP_WORKERS", "2")
    supervisor = Supervisor(Settings(database=database_url), client.store)
    supervisor.start()
    try:
        run = client.look("sweep", BASE, OPTIONS.stored(), "s")
        wait_until(lambda: client.get(run).step >= COUNT // 4 or client.get(run).ended, 120)
        process = supervisor.process
        assert process is not None and client.get(run).step < COUNT
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        os.kill(process.pid, signal.SIGKILL)
        stored = rows(client)
        wait_until(lambda: not any(child.is_running() for child in children))
        wait_until(lambda: client.get(run).ended, 120)
        assert client.get(run).state == "done" and client.get(run).restarts == 1
        last = client.weights(run)
    finally:
        supervisor.stop()
    after = rows(client)
    assert len(after) == COUNT and stored.items() <= after.items(), "what was known was not written again"
    restored = Sweep(BASE, OPTIONS)
    assert last is not None
    restored.restore(last[1])
    assert restored.document["cells"] == here, "bit for bit"


def rows(client: Client) -> dict[str, float]:
    """When each cell was stored."""
    with client.store.database.reading() as connection:
        return {key: at for key, at in connection.execute(select(cells.c.key, cells.c.created_at))}
