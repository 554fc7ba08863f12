"""What the worker makes of wishes, in the test's own process."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select, update

from pcviz.engine import worker as worker_module
from pcviz.engine.client import Client, NotAllowed
from pcviz.engine.worker import MOST_STRIKES, Worker
from pcviz.experiment import Experiment
from pcviz.settings import Settings
from pcviz.store import UnknownRun
from pcviz.store.tables import runs
from tests.engine import fake_jobs
from tests.engine.conftest import experiment, turn_until
from tests.engine.fake_jobs import JOBS, FakeTrain


def state_is(client: Client, run: str, *states: str) -> Callable[[], bool]:
    return lambda: client.get(run).state in states


def undisturbed(steps: int, seed: int = 0) -> list[np.ndarray]:
    """The energies after each step of a run that nobody touches."""
    job = FakeTrain(experiment(steps, seed))
    found = [job.frame(bulk=False).values["energy"]]
    while not job.done:
        job.advance(job.step + 1, 60.0)
        found.append(job.frame(bulk=False).values["energy"])
    return found  # type: ignore[return-value]


def assert_history_is_whole(client: Client, run: str, steps: int, seed: int = 0) -> None:
    """seq 1 … n, steps strictly increasing up to the last, every value that of an undisturbed run."""
    history, reference = client.frames(run, ["energy"]), undisturbed(steps, seed)
    assert history["seq"].tolist() == list(range(1, len(history["seq"]) + 1))
    assert np.all(np.diff(history["step"]) > 0) and history["step"][-1] == steps
    for step, energy in zip(history["step"], history["energy"], strict=True):
        np.testing.assert_array_equal(energy, reference[step])
    step, arrays = client.weights(run) or (0, {})
    assert step == steps
    np.testing.assert_array_equal(arrays["state"][:8], reference[steps])


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
    child = client.add_child(run, "landscape")
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
    assert client.frames(run, [])["seq"].tolist() == [1]


def test_cancel_ends_run_and_child_and_keeps_what_they_showed(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s")
    child = client.add_child(run, "landscape")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    client.cancel(run)
    turn_until(worker, lambda: client.get(run).ended and client.get(child).ended)
    turn_until(worker, lambda: client.get(run).worker is None)
    assert client.get(run).state == client.get(child).state == "cancelled"
    step, _ = client.weights(run) or (0, {})
    assert step == client.get(run).step == client.frames(run, [])["step"][-1]


def test_a_child_follows_its_parent_and_ends_with_it(client: Client, worker: Worker) -> None:
    run = client.start(experiment(100), "s")
    child = client.add_child(run, "landscape", {"size": 2})
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
    child = client.add_child(run, "landscape")
    turn_until(worker, state_is(client, child, "done"))
    turn_until(worker, lambda: client.get(run).worker is None)
    assert client.get(child).step == 30
    assert (client.get(run).state, client.get(run).seq) == ("done", before.seq)


def test_the_child_of_a_paused_run_finishes_and_rests(client: Client, worker: Worker) -> None:
    run = client.start(experiment(10_000), "s", wanted="paused")
    child = client.add_child(run, "landscape")
    turn_until(worker, state_is(client, child, "paused"))
    assert client.get(child).step == 0 and client.get(child).seq >= 1
    assert client.get(run).state == "paused"
    client.step(run, 20)
    turn_until(worker, lambda: client.get(child).step >= 10 and client.get(child).state == "paused")


@pytest.mark.parametrize(
    ("seed", "message"),
    [(fake_jobs.FAILS, "RuntimeError: the job broke"), (fake_jobs.FAILS_TO_COMPILE, "MemoryError: out of memory")],
)
def test_a_failing_job_harms_nobody_else(client: Client, worker: Worker, seed: int, message: str) -> None:
    run, good = client.start(experiment(50, seed), "s"), client.start(experiment(50), "s")
    child = client.add_child(run, "landscape")
    turn_until(worker, state_is(client, run, "failed"))
    turn_until(worker, state_is(client, child, "cancelled"))
    turn_until(worker, state_is(client, good, "done"))
    assert client.get(run).message == message


def test_a_failing_child_leaves_its_parent_alone(client: Client, worker: Worker) -> None:
    run = client.start(experiment(50), "s")
    child = client.add_child(run, "landscape", {"fail": True})
    turn_until(worker, state_is(client, run, "done"))
    turn_until(worker, state_is(client, child, "failed"))
    assert client.get(child).message == "ValueError: no such plane"


def test_what_this_version_cannot_read_is_left_alone(client: Client, worker: Worker) -> None:
    ids = [client.start(experiment(10), "s") for _ in range(5)]
    child = client.add_child(ids[0], "spectrum")
    strange = {
        "experiment_json": '{"schema": 2, "network": {"biases": true}}',
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
    history = client.frames(run, ["train_loss"])
    assert history["step"][-1] == 5 and np.isinf(history["train_loss"][-1][0])


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


def test_others_compute_while_one_compiles(client: Client, worker: Worker) -> None:
    quick = client.start(experiment(10_000), "a")
    turn_until(worker, lambda: client.get(quick).seq >= 1)
    slow = client.start(experiment(10, fake_jobs.SLOW), "b")
    turn_until(worker, state_is(client, slow, "compiling"))
    before = client.get(quick).seq
    turn_until(worker, lambda: client.get(quick).seq > before + 3)
    assert client.get(slow).state == "compiling"
    client.cancel(slow)
    turn_until(worker, state_is(client, slow, "cancelled"))


def test_sessions_advance_evenly(client: Client, worker: Worker) -> None:
    runs = [client.start(experiment(100_000), session) for session in ("a", "b")]
    turn_until(worker, lambda: min(client.get(run).step for run in runs) > 200)
    steps = [client.get(run).step for run in runs]
    assert max(steps) <= 1.5 * min(steps)


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


def test_a_child_follows_its_parent_to_another_worker(client: Client, worker: Worker) -> None:
    """The lease of the parent alone was taken over: whoever still holds the child gives it up."""
    run = client.start(experiment(10_000), "s")
    child = client.add_child(run, "landscape")
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
    child = client.add_child(run, "landscape")
    turn_until(worker, lambda: client.get(child).seq >= 1)
    with client.store.database.writing() as connection:
        connection.execute(update(runs).values(state="cancelled", worker=None))
    worker.turn()
    assert not worker.turn() and client.get(run).worker is None


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
