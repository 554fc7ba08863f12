"""A group in the worker: a frame for each member, pause and resume, and a worker that dies."""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from pcviz.engine import scheduler
from pcviz.engine import worker as worker_module
from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.reproduce.options import Options
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work
from pcviz.settings import Settings
from pcviz.store.tables import runs
from tests.engine.conftest import turn_until

MEMBERS = 90


class Quick(Group[Options]):
    """The networks of the full protocol, each in milliseconds."""

    KIND, OPTIONS = "reproduce", Options
    measured: list[str]

    def measure(self, members: Sequence[str]) -> Work[list[str]]:
        for _ in range(3):
            time.sleep(0.002)
            yield
        self.measured += members
        return [*members]

    def _values(self, bulk: bool) -> dict[str, Value]:
        return {"sweep_diverged": float(len(self.results))}


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quick, "measured", [], raising=False)
    monkeypatch.setattr(worker_module, "REST_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "CHECKPOINT_SECONDS", 0.0)


def a_worker(client: Client) -> Worker:
    return Worker(client.store, Settings(), lambda: {"reproduce": Quick})


def start(client: Client) -> str:
    return client.look("reproduce", Experiment(), Options(protocol="full").stored(), "s")


def held(client: Client, run: str) -> list[str]:
    """The members that the newest checkpoint holds."""
    saved = client.weights(run)
    return [] if saved is None else list(json.loads(saved[1]["results"].tobytes()))


def assert_whole(client: Client, run: str) -> None:
    record, told = client.get(run), client.frames(run, ["sweep_diverged"])
    assert (record.state, record.step, record.steps) == ("done", MEMBERS, MEMBERS)
    assert (np.diff(told["step"]) > 0).all() and told["step"][-1] == MEMBERS
    np.testing.assert_array_equal(told["sweep_diverged"], told["step"])
    assert set(Quick.measured) == set(held(client, run)) and len(held(client, run)) == MEMBERS


def test_a_group_that_rested_elsewhere_measures_no_member_twice(client: Client) -> None:
    run, worker = start(client), a_worker(client)
    turn_until(worker, lambda: client.get(run).step >= 3)
    client.pause(run)
    turn_until(worker, lambda: client.get(run).state == "paused" and client.get(run).worker is None)
    before, kept = list(Quick.measured), held(client, run)
    assert len(kept) == client.get(run).step >= 3
    time.sleep(0.1)
    assert len(Quick.measured) <= len(before) + 2, "what was under way may end, nothing else begins"
    client.resume(run)
    turn_until(a_worker(client), lambda: client.get(run).ended)
    assert_whole(client, run)
    counts: dict[str, Any] = {member: Quick.measured.count(member) for member in kept}
    assert set(counts.values()) == {1}


def test_a_group_whose_worker_died_goes_on_with_what_is_left(client: Client) -> None:
    run, worker = start(client), a_worker(client)
    turn_until(worker, lambda: len(held(client, run)) >= 3)
    kept = held(client, run)
    with client.store.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(lease_until=0.0))
    turn_until(a_worker(client), lambda: client.get(run).ended)
    assert client.get(run).restarts == 1
    assert_whole(client, run)
    assert all(Quick.measured.count(member) == 1 for member in kept)


def test_a_group_can_be_cancelled(client: Client) -> None:
    run, worker = start(client), a_worker(client)
    turn_until(worker, lambda: client.get(run).step > 0)
    client.cancel(run)
    turn_until(worker, lambda: client.get(run).ended)
    assert client.get(run).state == "cancelled" and 0 < client.get(run).step < MEMBERS
    time.sleep(0.1)
    after = list(Quick.measured)
    time.sleep(0.1)
    assert Quick.measured == after
