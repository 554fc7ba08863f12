"""Many runs, owners and workers on one machine: nobody waits for ever, nobody harms another."""

import threading

import pytest

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment
from pcviz.settings import Settings
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, turn_until
from tests.engine.fake_jobs import JOBS
from tests.engine.history import assert_history_is_whole, state_is


@pytest.mark.parametrize(
    ("seed", "message"),
    [(fake_jobs.FAILS, "RuntimeError: the job broke"), (fake_jobs.FAILS_TO_COMPILE, "MemoryError: out of memory")],
)
def test_a_failing_job_harms_nobody_else(client: Client, worker: Worker, seed: int, message: str) -> None:
    run, good = client.start(experiment(50, seed), "s"), client.start(experiment(50), "s")
    child = client.add_child(run, "training_plane")
    turn_until(worker, state_is(client, run, "failed"))
    turn_until(worker, state_is(client, child, "cancelled"))
    turn_until(worker, state_is(client, good, "done"))
    assert client.get(run).message == message


def test_others_compute_while_one_compiles(client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = threading.Event()
    monkeypatch.setattr(fake_jobs, "COMPILED", compiled)
    monkeypatch.setattr(fake_jobs, "SLOW_SECONDS", 60.0)  # longer than others take for what is waited for
    quick = client.start(experiment(10_000), "a")
    turn_until(worker, lambda: client.get(quick).seq >= 1)
    slow = client.start(experiment(10, fake_jobs.SLOW), "b")
    turn_until(worker, state_is(client, slow, "compiling"))
    before = client.get(quick).seq
    turn_until(worker, lambda: client.get(quick).seq > before + 3)
    assert client.get(slow).state == "compiling"
    client.cancel(slow)
    turn_until(worker, state_is(client, slow, "cancelled"))
    compiled.set()


def test_sessions_advance_evenly(client: Client, worker: Worker) -> None:
    runs = [client.start(experiment(100_000), session) for session in ("a", "b")]
    turn_until(worker, lambda: min(client.get(run).step for run in runs) > 200)
    steps = [client.get(run).step for run in runs]
    assert max(steps) <= 1.5 * min(steps)


@pytest.mark.postgresql
def test_two_workers_never_run_the_same_job(client: Client, worker: Worker) -> None:
    second = Worker(client.store, Settings(), lambda: JOBS)
    runs = [client.start(experiment(100), "s") for _ in range(3)]

    def all_done() -> bool:
        second.turn()
        return all(client.get(run).ended for run in runs)

    turn_until(worker, all_done)
    for run in runs:
        assert_history_is_whole(client, run, 100)
        assert client.get(run).restarts == 0


def test_many_tabs_of_one_owner_do_not_starve_another(client: Client, worker: Worker) -> None:
    many = [client.start(experiment(100_000, seed), f"tab {seed}", "many") for seed in range(30)]
    one = client.start(experiment(100_000, 30), "tab", "one")
    runs = [*many, one]
    turn_until(worker, lambda: all(client.get(run).seq for run in runs))
    before = {run: client.get(run).seconds for run in runs}
    for _ in range(400):
        worker.turn()
    gained = {run: client.get(run).seconds - before[run] for run in runs}
    assert 0.4 < gained[one] / sum(gained.values()) < 0.6


def test_many_runs_of_one_owner_are_not_all_prepared_before_anothers(client: Client) -> None:
    prepared: list[int] = []

    class Noted(fake_jobs.FakeTrain):
        def __init__(self, experiment: Experiment) -> None:
            super().__init__(experiment)
            prepared.append(experiment.seed)

    worker = Worker(client.store, Settings(), lambda: {"train": Noted})
    for seed in range(8):
        client.start(experiment(100_000, seed), f"tab {seed}", "many")
    client.start(experiment(100_000, 8), "tab", "one")
    turn_until(worker, lambda: len(prepared) == 9)
    assert prepared.index(8) == 1
