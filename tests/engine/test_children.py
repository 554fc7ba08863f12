"""Runs that work on another run's network follow it."""

import numpy as np
from sqlalchemy import update

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.settings import Settings
from pcviz.store.tables import runs
from tests.engine.conftest import experiment, turn_until
from tests.engine.fake_jobs import JOBS, LONG_STEPS
from tests.engine.history import state_is


def test_a_child_follows_its_parent_and_ends_with_it(client: Client, worker: Worker) -> None:
    run = client.start(experiment(100), "s")
    child = client.add_child(run, "training_plane", {"size": 2})
    turn_until(worker, state_is(client, child, "done"))
    record, history = client.get(child), client.frames(child, ["landscape_done"])
    assert (record.parent, record.step) == (run, 100) and client.children(run) == [record]
    assert history["seq"].tolist() == list(range(1, record.seq + 1))
    assert np.all(np.diff(history["step"]) >= 0) and history["landscape_done"][-1] == 1


def test_a_child_of_a_finished_run_works_on_its_last_weights(client: Client, worker: Worker) -> None:
    run = client.start(experiment(30), "s")
    turn_until(worker, state_is(client, run, "done"))
    turn_until(worker, lambda: client.get(run).worker is None)
    before = client.get(run)
    child = client.add_child(run, "training_plane")
    turn_until(worker, state_is(client, child, "done"))
    turn_until(worker, lambda: client.get(run).worker is None)
    assert client.get(child).step == 30
    assert (client.get(run).state, client.get(run).seq) == ("done", before.seq)


def test_the_child_of_a_paused_run_finishes_and_rests(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s", wanted="paused")
    child = client.add_child(run, "training_plane")
    turn_until(worker, state_is(client, child, "paused"))
    assert client.get(child).step == 0 and client.get(child).seq >= 1
    assert client.get(run).state == "paused"
    client.step(run, 20)
    turn_until(worker, lambda: client.get(child).step >= 10 and client.get(child).state == "paused")


def test_the_first_step_of_a_training_comes_before_what_its_children_find(client: Client, worker: Worker) -> None:
    run = client.start(experiment(3, LONG_STEPS), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    assert client.frames(child, ["landscape_done"])["step"][0] == 1


def test_a_failing_child_leaves_its_parent_alone(client: Client, worker: Worker) -> None:
    run = client.start(experiment(50), "s")
    child = client.add_child(run, "training_plane", {"fail": True})
    turn_until(worker, state_is(client, run, "done"))
    turn_until(worker, state_is(client, child, "failed"))
    assert client.get(child).message == "ValueError: no such plane"


def test_a_child_follows_its_parent_to_another_worker(client: Client, worker: Worker) -> None:
    """The lease of the parent alone was taken over: whoever still holds the child gives it up."""
    run = client.start(experiment(10_000), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    with client.store.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(lease_until=0.0))
    second = Worker(client.store, Settings(), lambda: JOBS)
    second.turn()
    assert client.get(run).worker == second.name != client.get(child).worker == worker.name
    seen = client.get(child).seq

    def followed() -> bool:
        worker._observations.renew()
        second.turn()
        return client.get(child).worker == second.name and client.get(child).seq > seen

    turn_until(worker, followed)


def test_a_worker_forgets_a_family_that_others_have_finished(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    with client.store.database.writing() as connection:
        connection.execute(update(runs).values(state="cancelled", worker=None))
    worker.turn()
    assert not worker.turn() and client.get(run).worker is None


def test_a_cancelled_run_takes_its_resting_child_along(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s", wanted="paused")
    child = client.add_child(run, "training_plane")
    turn_until(worker, state_is(client, child, "paused"))
    client.cancel(run)
    turn_until(worker, state_is(client, child, "cancelled"))
    turn_until(worker, lambda: client.get(run).worker is client.get(child).worker is None)
    assert client.get(run).state == "cancelled"
