"""Invariants of the store: contiguous frames, fencing, checkpoints that are whole or absent."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from pcviz.experiment import Experiment
from pcviz.frames import Frame
from pcviz.store import Lost, Observations, Store, UnknownRun, Watcher
from pcviz.store import tables as t
from pcviz.store.observations import PART_BYTES

pytestmark = pytest.mark.postgresql


def start(store: Store, worker: Observations | None = None, **requests: object) -> str:
    wanted = {"wanted": "running", "allowed_until_step": None} | requests
    run = store.requests.create(Experiment(), "session", "owner", **wanted)  # type: ignore[arg-type]
    if worker is not None:
        assert worker.claim(store.reader.run(run))
    return run


def frame(run: str, seq: int, *, step: int | None = None, bulk: bool = True, generation: int = 1) -> Frame:
    values = {"energy": np.full(3, float(seq)), "test_loss": 0.5}
    if bulk:
        values["energy_trace"] = np.full((4, 3), float(seq))
    return Frame("train", seq if step is None else step, values, run=run, generation=generation, seq=seq)


def kept_bulk(store: Store, run: str) -> list[int]:
    with store.database.reading() as connection:
        statement = select(t.frames.c.seq).where(t.frames.c.run == run, t.frames.c.bulk.is_not(None))
        return sorted(connection.execute(statement).scalars())


def test_a_new_run_has_every_column(store: Store) -> None:
    experiment = Experiment.model_validate({"network": {"depth": 33}, "seed": 5})
    run = store.requests.create(experiment, "s", "key", "paused", 7)
    record = store.reader.run(run)
    assert record.experiment == experiment and record.steps == experiment.learning.steps
    assert (record.state, record.wanted, record.limit, record.generation, record.seq) == ("queued", "paused", 7, 1, 0)
    assert "key" not in repr(record)


def test_an_unknown_run_is_named(store: Store) -> None:
    for call in (lambda: store.reader.run("nope"), lambda: store.requests.want("nope", "paused")):
        with pytest.raises(UnknownRun, match="nope"):
            call()


def test_a_store_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="is no plain file"):
        Store("sqlite://")


def test_bulk_channels_stay_with_the_latest_frame_and_checkpoints(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    for seq in range(1, 7):
        worker.publish(frame(run, seq))
        if seq in (2, 3, 4):
            for _ in worker.checkpoint(run, 1, seq, seq, {"w": np.zeros(3)}):
                pass
            worker.complete_checkpoint(run, 1, seq)
    stored = store.reader.frames(run, 1)
    assert [item.seq for item in stored] == [1, 2, 3, 4, 5, 6]
    assert kept_bulk(store, run) == [3, 4, 6]
    assert [item.seq for item in stored if item.bulk] == [6]
    np.testing.assert_array_equal(stored[2].frame().values["energy"], np.full(3, 3.0))


def test_the_place_of_the_newest_frame_is_its_weight_step_and_its_inference_step(
    store: Store, worker: Observations
) -> None:
    run = start(store, worker)
    assert store.reader.last_place(run, 1) == (0, 0)
    for seq, inference_step in ((1, 9), (2, 3)):
        worker.publish(replace(frame(run, seq, step=7), inference_step=inference_step))
    assert store.reader.last_place(run, 1) == (7, 3)


def test_the_bytes_of_frames_are_counted(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    for seq in range(1, 5):
        counted = worker.publish(frame(run, seq, bulk=seq % 2 == 1))
    size = func.sum(func.length(t.frames.c.scalars) + func.coalesce(func.length(t.frames.c.bulk), 0))
    with store.database.reading() as connection:
        assert counted == connection.execute(select(size)).scalar() == store.reader.run(run).frame_bytes


def test_a_frame_must_follow_the_stored_one(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    worker.publish(frame(run, 1))
    for seq in (1, 3):
        with pytest.raises(Lost):
            worker.publish(frame(run, seq, step=9))
    with pytest.raises(IntegrityError):
        worker.publish(frame(run, 2, step=1))
    assert [item.seq for item in store.reader.frames(run, 1)] == [1]
    assert store.reader.run(run).seq == 1


def test_a_worker_without_the_lease_changes_nothing(store: Store, worker: Observations, other: Observations) -> None:
    run = start(store, worker)
    worker.publish(frame(run, 1))
    parts = worker.checkpoint(run, 1, 1, 1, {"w": np.zeros(3)})
    next(parts)
    assert other.claim(store.reader.run(run), "took over", restarted=True)
    before = store.reader.run(run)
    writes = [
        lambda: worker.publish(frame(run, 2)),
        lambda: worker.observe(run, 1, state="failed"),
        lambda: worker.complete_checkpoint(run, 1, 1),
        lambda: list(worker.checkpoint(run, 1, 1, 1, {})),
        lambda: worker.release(run, 1),
    ]
    for write in writes:
        with pytest.raises(Lost):
            write()
    assert store.reader.run(run) == before
    assert store.reader.checkpoint(run, 1) is None
    assert before.restarts == 1 and before.message == "took over"
    other.publish(frame(run, 2))


def test_only_one_of_two_claims_succeeds(store: Store, worker: Observations, other: Observations) -> None:
    record = store.reader.run(start(store))
    assert worker.claim(record)
    assert not other.claim(record)
    held = store.reader.run(record.id)
    worker.renew()
    assert not other.claim(held), "the lease was renewed since it was read"


def test_a_reset_stops_the_old_generation_and_starts_afresh(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    worker.publish(frame(run, 1))
    list(worker.checkpoint(run, 1, 1, 1, {"w": np.zeros(3)}))
    worker.complete_checkpoint(run, 1, 1, state="done")
    store.requests.reset(run, None)
    with pytest.raises(Lost):
        worker.publish(frame(run, 2))
    record = store.reader.run(run)
    assert (record.generation, record.state, record.step, record.seq) == (2, "queued", 0, 0)
    assert worker.claim(record)
    worker.publish(frame(run, 1, generation=2))
    assert store.reader.frames(run, 1) == [] and store.reader.checkpoint(run, 1) is None
    assert len(store.reader.frames(run, 2)) == 1


def test_reset_and_cancel_reach_children(store: Store) -> None:
    run = start(store)
    child = store.requests.create_child(run, "training_plane", {"size": 5})
    store.requests.want(run, "cancelled")
    assert store.reader.run(child).wanted == "cancelled"
    store.requests.reset(run, None)
    record = store.reader.run(child)
    assert (record.generation, record.wanted, record.options) == (2, "running", {"size": 5})
    assert store.reader.run(run).wanted == "paused"
    with pytest.raises(ValueError, match="children"):
        store.requests.create_child(child, "training_plane", {})


def test_steps_add_up_until_they_are_taken(store: Store, worker: Observations) -> None:
    run = start(store, worker, wanted="paused")
    store.requests.allow_steps(run, 1)
    store.requests.allow_steps(run, 2)
    assert store.reader.run(run).allowed_until_step == 3
    worker.publish(frame(run, 1, step=3))
    assert store.reader.run(run).resting
    store.requests.allow_steps(run, 1)
    assert store.reader.run(run).allowed_until_step == 4
    store.requests.want(run, "running")
    assert store.reader.run(run).allowed_until_step is None


def test_a_checkpoint_is_valid_only_when_complete(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    worker.publish(frame(run, 1))
    first = {"w": np.arange(3, dtype=np.float32), "step": np.array(1)}
    assert len(list(worker.checkpoint(run, 1, 1, 1, first))) == 1
    assert store.reader.checkpoint(run, 1) is None
    worker.complete_checkpoint(run, 1, 1)

    big = {"w": np.arange(2_500_000, dtype=np.float64)}
    parts = worker.checkpoint(run, 1, 4, 0, big)
    assert next(parts) == PART_BYTES
    step, arrays = store.reader.checkpoint(run, 1) or (0, {})
    assert step == 1 and arrays["w"].dtype == np.float32
    assert len(list(parts)) == 2
    worker.complete_checkpoint(run, 1, 4)
    step, arrays = store.reader.checkpoint(run, 1) or (0, {})
    assert step == 4 and np.array_equal(arrays["w"], big["w"])
    assert store.reader.run(run).step == 4, "a run is at least where its checkpoint is"


def test_two_checkpoints_are_kept_and_broken_ones_are_cleared(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    next(worker.checkpoint(run, 1, 1, 0, {"w": np.zeros(9)}))  # abandoned
    for step in (2, 3, 4):
        list(worker.checkpoint(run, 1, step, 0, {"w": np.zeros(9)}))
        worker.complete_checkpoint(run, 1, step)
    with store.database.reading() as connection:
        assert sorted(connection.execute(select(t.checkpoints.c.step)).scalars()) == [3, 4]
        assert connection.execute(select(func.count()).select_from(t.parts)).scalar() == 2


def test_unseen_runs_are_paused(store: Store) -> None:
    seen, unseen = start(store), start(store)
    with store.database.writing() as connection:
        connection.execute(update(t.runs).where(t.runs.c.id == unseen).values(seen_at=time.time() - 700))
    assert store.requests.pause_unseen(time.time() - 600) == 1
    assert [store.reader.run(run).wanted for run in (seen, unseen)] == ["running", "paused"]


def test_a_watcher_sees_the_commits_of_others_only(store: Store, worker: Observations) -> None:
    watcher = Watcher(store.database)
    assert watcher.changed() and worker.changed()
    assert not watcher.changed() and not worker.changed()
    run = start(store)
    assert soon(watcher.changed) and soon(worker.changed)
    worker.claim(store.reader.run(run))
    assert soon(watcher.changed) and not worker.changed()
    watcher.close()


def soon(news: Callable[[], bool]) -> bool:
    """Whether it comes within a few seconds: a server of databases tells others after a commit, not with it."""
    deadline = time.monotonic() + 10
    while not (found := news()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return found


def test_who_reads_sees_one_state(store: Store) -> None:
    start(store)
    count = select(func.count()).select_from(t.runs)
    with store.database.reading() as connection:
        assert connection.execute(count).scalar() == 1
        start(store)
        assert connection.execute(count).scalar() == 1
    assert len(store.reader.runs(9)) == 2


def test_what_rests_is_not_open(store: Store, worker: Observations) -> None:
    run = start(store, worker)
    child = store.requests.create_child(run, "training_plane", {})
    assert [record.id for record in store.reader.open_runs()] == [run, child]
    for one in (run, child):
        if one == child:
            worker.claim(store.reader.run(child))
        worker.observe(one, 1, state="paused", worker=None)
    store.requests.want(run, "paused")
    assert store.reader.open_runs() == []
    store.requests.want(run, "running")
    assert [record.id for record in store.reader.open_runs()] == [run, child]
    store.requests.want(run, "cancelled")
    assert [record.id for record in store.reader.open_runs()] == [run, child]
