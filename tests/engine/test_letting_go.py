"""Runs that pause, are given back and go on elsewhere, also in the middle of a long step."""

import pytest
from sqlalchemy import update

from pcviz.engine import worker as worker_module
from pcviz.engine.client import Client
from pcviz.engine.worker import MOST_STRIKES, Worker
from pcviz.settings import Settings
from pcviz.store.tables import runs
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, turn_until
from tests.engine.fake_jobs import JOBS
from tests.engine.history import assert_history_is_whole, state_is


def test_a_paused_run_is_given_back_with_a_checkpoint(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "REST_SECONDS", 0.0)
    run = client.start(experiment(200), "s")
    turn_until(worker, lambda: client.get(run).seq >= 1)
    client.pause(run)
    turn_until(worker, lambda: client.get(run).state == "paused" and client.get(run).worker is None)
    assert (client.weights(run) or (0, {}))[0] == client.get(run).step
    client.resume(run)
    turn_until(worker, state_is(client, run, "done"))
    assert_history_is_whole(client, run, 200)


def paused_and_let_go(client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that was given back after some steps."""
    monkeypatch.setattr(worker_module, "REST_SECONDS", 0.0)
    run = client.start(experiment(10_000), "s")
    turn_until(worker, lambda: client.get(run).seq >= 2)
    client.pause(run)
    turn_until(worker, lambda: client.get(run).state == "paused" and client.get(run).worker is None)
    return run


@pytest.mark.parametrize("restarted", [False, True])
def test_a_paused_run_that_nobody_holds_is_cancelled(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    run = paused_and_let_go(client, worker, monkeypatch)
    client.cancel(run)
    turn_until(
        Worker(client.store, Settings(), lambda: JOBS) if restarted else worker, state_is(client, run, "cancelled")
    )
    assert client.get(run).worker is None and not client.store.reader.open_runs()


def test_a_snapshot_of_a_paused_run_that_nobody_holds(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = paused_and_let_go(client, worker, monkeypatch)
    client.snapshot(run)
    turn_until(worker, lambda: client.get(run).snapshot_done == 1 and client.get(run).worker is None)
    assert client.get(run).state == "paused"


def test_a_long_step_pauses_in_its_middle(client: Client, worker: Worker) -> None:
    run = client.start(experiment(3, fake_jobs.LONG_STEPS), "s")
    turn_until(worker, state_is(client, run, "running"))
    worker.turn()
    client.pause(run)
    turn_until(worker, state_is(client, run, "paused"))
    assert client.get(run).step == 0
    client.resume(run)
    turn_until(worker, state_is(client, run, "done"))
    assert_history_is_whole(client, run, 3, fake_jobs.LONG_STEPS)


def test_a_run_that_is_let_go_in_the_middle_of_a_long_step_loses_nothing(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "REST_SECONDS", 0.0)
    run = client.start(experiment(3, fake_jobs.LONG_STEPS), "s")
    turn_until(worker, state_is(client, run, "running"))
    worker.turn()
    client.pause(run)
    turn_until(worker, lambda: client.get(run).state == "paused" and client.get(run).worker is None)
    step, arrays = client.weights(run) or (-1, {})
    assert step == client.get(run).step == 0 < int(arrays["inner"])
    client.resume(run)
    turn_until(Worker(client.store, Settings(), lambda: JOBS), state_is(client, run, "done"))
    assert_history_is_whole(client, run, 3, fake_jobs.LONG_STEPS)


def test_a_checkpoint_inside_a_step_is_progress(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deaths in one long step are counted since its last checkpoint, not since the last frame."""
    monkeypatch.setattr(fake_jobs, "UNITS", 10_000)
    run = client.start(experiment(3, fake_jobs.LONG_STEPS), "s")
    turn_until(worker, state_is(client, run, "running"))
    with client.store.database.writing() as connection:
        connection.execute(update(runs).values(strikes=MOST_STRIKES - 1))
    client.snapshot(run)
    turn_until(worker, lambda: client.get(run).snapshot_done == 1)
    assert (client.get(run).step, client.get(run).strikes) == (0, 0)
