"""What the worker makes of wishes, in the test's own process."""

import pytest
from sqlalchemy import select, update

from pcviz.engine import worker as worker_module
from pcviz.engine.client import Client, NotAllowed
from pcviz.engine.worker import MOST_STRIKES, Worker
from pcviz.settings import Settings
from pcviz.store import UnknownRun
from pcviz.store.tables import runs
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, turn_until
from tests.engine.fake_jobs import JOBS
from tests.engine.history import assert_history_is_whole, state_is


@pytest.mark.postgresql
def test_a_run_is_done_with_frames_and_a_checkpoint(client: Client, worker: Worker) -> None:
    run = client.start(experiment(120), "s")
    turn_until(worker, state_is(client, run, "done"))
    turn_until(worker, lambda: client.get(run).worker is None)
    assert_history_is_whole(client, run, 120)
    record = client.get(run)
    assert (record.step, record.device, record.restarts) == (120, "test", 0) and record.seconds > 0.2
    last = client.last_frame(run)
    assert last is not None and last.step == 120 and "energy_trace" in last.values


def test_start_paused_step_resume(client: Client, worker: Worker) -> None:
    run = client.start(experiment(60), "s", wanted="paused")
    turn_until(worker, state_is(client, run, "paused"))
    assert client.get(run).step == 0
    client.step(run)
    turn_until(worker, lambda: client.get(run).step == 1 and client.get(run).state == "paused")
    client.step(run, 3)
    turn_until(worker, lambda: client.get(run).step == 4 and client.get(run).state == "paused")
    client.resume(run)
    turn_until(worker, state_is(client, run, "done"))
    assert_history_is_whole(client, run, 60)


def test_a_paused_run_shows_its_last_step_and_moves_no_further(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    turn_until(worker, lambda: client.get(run).seq >= 2)
    client.pause(run)
    turn_until(worker, state_is(client, run, "paused"))
    record = client.get(run)
    assert client.frames(run, [])["step"][-1] == record.step
    for _ in range(5):
        assert not worker.turn()
    assert client.get(run) == record


def test_reset_begins_again(client: Client, worker: Worker) -> None:
    run = client.start(experiment(40), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, state_is(client, child, "done"))
    client.reset(run)
    assert (client.get(run).generation, client.get(run).state, client.get(run).step) == (2, "queued", 0)
    turn_until(worker, state_is(client, run, "done"))
    turn_until(worker, state_is(client, child, "done"))
    assert_history_is_whole(client, run, 40)
    assert client.get(child).generation == 2


def test_reset_while_running_and_then_paused(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    turn_until(worker, lambda: client.get(run).seq >= 2)
    client.reset(run, wanted="paused")
    turn_until(worker, state_is(client, run, "paused"))
    assert (client.get(run).step, client.get(run).seq) == (0, 0)
    client.step(run, 2)
    turn_until(worker, lambda: client.get(run).step == 2)
    history = client.frames(run, [])
    assert history["seq"].tolist() == list(range(1, len(history["seq"]) + 1)) and history["step"][-1] == 2


def test_cancel_ends_run_and_child_and_keeps_what_they_showed(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    client.cancel(run)
    turn_until(worker, lambda: client.get(run).ended and client.get(child).ended)
    turn_until(worker, lambda: client.get(run).worker is None)
    assert client.get(run).state == client.get(child).state == "cancelled"
    step, _ = client.weights(run) or (0, {})
    assert step == client.get(run).step == client.frames(run, [])["step"][-1]


def test_what_this_version_cannot_read_is_left_alone(client: Client, worker: Worker) -> None:
    ids = [client.start(experiment(10), "s") for _ in range(5)]
    child = client.add_child(ids[0], "spectrum")
    strange = {
        "experiment_json": '{"schema": 3, "network": {"dropout": true}}',
        "options_json": "[",
        "wanted": "postponed",
        "state": "asleep",
    }
    for run, (column, value) in zip(ids[1:], strange.items(), strict=True):
        with client.store.database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values({column: value}))
    before = [row(client, run) for run in (child, *ids[1:])]
    turn_until(worker, state_is(client, ids[0], "done"))
    for _ in range(50):
        worker.turn()
    assert [row(client, run) for run in (child, *ids[1:])] == before


def row(client: Client, run: str) -> dict[str, object]:
    """All that the store holds of a run."""
    with client.store.database.reading() as connection:
        return dict(connection.execute(select(runs).where(runs.c.id == run)).mappings().one())


def test_divergence_is_an_end_of_its_own(client: Client, worker: Worker) -> None:
    run = client.start(experiment(50, fake_jobs.DIVERGES), "s")
    turn_until(worker, state_is(client, run, "diverged"))
    assert client.frames(run, [])["step"][-1] == 5


def test_a_snapshot_is_written_when_asked_for(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    turn_until(worker, lambda: client.get(run).seq >= 1)
    client.snapshot(run)
    turn_until(worker, lambda: client.get(run).snapshot_done == 1)
    step, _ = client.weights(run) or (0, {})
    assert step > 0


def test_large_checkpoints_are_written_while_computing(client: Client, worker: Worker) -> None:
    run = client.start(experiment(60, fake_jobs.BIG), "s")
    turn_until(worker, state_is(client, run, "done"))
    assert_history_is_whole(client, run, 60, fake_jobs.BIG)


def test_only_the_owner_steers_on_a_shared_server(client: Client) -> None:
    shared = Client(client.store, shared=True)
    run = shared.start(experiment(), "s", "key")
    for call in (shared.pause, shared.resume, shared.reset, shared.cancel, shared.step):
        with pytest.raises(NotAllowed, match="belongs to somebody else"):
            call(run)
    shared.pause(run, "key")
    client.pause(run)
    with pytest.raises(UnknownRun):
        shared.pause("nope", "key")


def test_a_run_that_kills_its_workers_fails_in_the_end(client: Client) -> None:
    run = client.start(experiment(50), "s")
    for strikes in range(1, MOST_STRIKES + 1):
        dead = client.store.observations(f"nowhere:{strikes}:x")
        assert dead.claim(client.get(run))
        dead.observe(run, 1, state="compiling", lease_until=0.0)
        dead.close()
        Worker(client.store, Settings(), lambda: JOBS).turn()
        if strikes < MOST_STRIKES:
            assert (client.get(run).state, client.get(run).strikes) == ("compiling", strikes)
            with client.store.database.writing() as connection:
                connection.execute(update(runs).values(worker=None))
    assert client.get(run).state == "failed" and "died 10 times" in client.get(run).message


def test_the_worker_makes_room_in_the_store(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "PRUNE_SECONDS", 0.0)
    worker = Worker(client.store, Settings(store_limit=2_000_000), lambda: JOBS)
    first, second = (client.start(experiment(30, fake_jobs.BIG), "s") for _ in range(2))
    turn_until(worker, lambda: client.get(first).ended and client.get(second).ended)
    turn_until(worker, lambda: client.get(second).worker is None)
    for _ in range(5):
        worker.turn()
    assert len(client.runs()) == 2, "somebody has just looked at both"
    with client.store.database.writing() as connection:
        connection.execute(update(runs).values(seen_at=0.0))
    turn_until(worker, lambda: len(client.runs()) == 1)
    assert client.runs()[0].id == second
