"""A sweep in the worker: a worker that dies loses no cell, and another run of the same cells computes none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from pcviz.engine import scheduler
from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import from_paths
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options
from pcviz.numerics.krylov import Work
from pcviz.settings import Settings
from pcviz.store.tables import runs
from tests.engine.conftest import turn_until

SMALL = from_paths(
    {
        "network.depth": 3,
        "network.width": 4,
        "data.name": "moons",
        "inference.steps": 2,
        "learning.steps": 3,
        "learning.batch_size": 8,
    }
)
OPTIONS = Options(vary=("learning.learning_rate=log:1e-3..1e-1:12", "seed=0..3"))
MEASURED: list[str] = []


class Watched(Sweep):
    """A sweep that writes down what it measures."""

    def most_together(self, member: str) -> int:
        return 4

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        MEASURED.extend(members)
        return super().measure(members)


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    MEASURED.clear()
    monkeypatch.setattr(scheduler, "CHECKPOINT_SECONDS", 1e9)  # what is not lost is not in a checkpoint


def a_worker(client: Client) -> Worker:
    return Worker(client.store, Settings(), lambda: {"sweep": Watched})


@pytest.mark.postgresql
def test_no_cell_is_lost_or_done_twice(client: Client) -> None:
    run = client.look("sweep", SMALL, OPTIONS.stored(), "s")
    first = a_worker(client)
    turn_until(first, lambda: 8 <= client.get(run).step < 48)
    done = client.get(run).step
    under_way = len(MEASURED) - done
    with client.store.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(lease_until=0.0))  # it died
    second = a_worker(client)
    turn_until(second, lambda: client.get(run).ended)
    assert client.get(run).state == "done" and client.get(run).step == 48
    assert len(MEASURED) <= 48 + under_way, "only what was under way began anew"

    MEASURED.clear()
    again = client.look("sweep", SMALL, OPTIONS.stored(), "s")
    turn_until(second, lambda: client.get(again).ended)
    assert client.get(again).step == 48 and not MEASURED
