"""What the store holds is bounded: everything counts, what may go goes in order, and then nothing new starts."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from pcviz.experiment import Experiment, cost
from pcviz.frames import Frame
from pcviz.settings import Settings
from pcviz.store import Limits, Observations, Store, StoreFull, UnknownRun
from pcviz.store import tables as t
from pcviz.store.room import DAY, ROW_BYTES, refusal

ANY = Limits(10**12, None, 7.0)
MB = 1_000_000
TRAINING = cost.estimate(Experiment()).checkpoint_bytes + ROW_BYTES
"""What a training counts as until it has ended."""


def start(store: Store, owner: str = "owner", **requests: Any) -> str:
    details = {"wanted": "running", "allowed_until_step": None, "kind": "relax"} | requests
    return store.requests.create(Experiment(), "session", owner, **details)


def fill(store: Store, worker: Observations, run: str, count: int = 200_000, **observed: Any) -> None:
    """Give a run a frame and a checkpoint of about `count` bytes, then let it go."""
    assert worker.claim(store.reader.run(run))
    worker.publish(Frame("train", 1, {"energy": np.zeros(3)}, run=run, generation=1, seq=1))
    list(worker.checkpoint(run, 1, 1, 1, {"w": np.zeros(count // 8)}))
    worker.complete_checkpoint(run, 1, 1, worker=None, **observed)


def ago(store: Store, seconds: float, *runs: str) -> None:
    """Nobody has looked at these runs (default: all) for so long."""
    with store.database.writing() as connection:
        statement = update(t.runs).values(seen_at=time.time() - seconds)
        connection.execute(statement.where(t.runs.c.id.in_(runs)) if runs else statement)


def taken(store: Store) -> int:
    return sum(one.size for one in store.reader.spaces(ANY))


def file_size(store: Store) -> int:
    """Bytes of the store's file, everything written."""
    path = store.database.engine.url.database
    assert path is not None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(path).stat().st_size


def order_of_pruning(store: Store, worker: Observations, limits: Limits = ANY) -> list[str]:
    """The runs that go, one after the other, as the limit falls."""
    gone: list[str] = []
    while True:
        before = {record.id for record in store.reader.runs(100)}
        if not worker.prune(Limits(taken(store) - 1, limits.owner, limits.paused_days)):
            return gone
        gone += before - {record.id for record in store.reader.runs(100)}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "kind", ["rows", "children", "frames", "bulk channels", "checkpoints", "abandoned checkpoints"]
)
def test_what_is_counted_is_what_the_file_holds(store: Store, worker: Observations, tmp_path: Path, kind: str) -> None:
    empty = file_size(store)
    for number in range(60):
        run = start(store)
        assert worker.claim(store.reader.run(run))
        for _ in range(20 if kind == "children" else 0):
            store.requests.create_child(run, "training_plane", {"directions": "pca"})
        for seq in range(1, 30 if kind in ("frames", "bulk channels") else 1):
            values: dict[str, Any] = {"energy": np.zeros(16)}
            if kind == "bulk channels" and seq % 5 == 0:
                values["energy_trace"] = np.zeros((100, 16))
            worker.publish(Frame("train", seq, values, run=run, generation=1, seq=seq))
        if "checkpoints" in kind:
            list(worker.checkpoint(run, 1, number, 0, {"w": np.zeros(20_000)}))
            if kind == "checkpoints":
                worker.complete_checkpoint(run, 1, number)
    size = file_size(store) - empty
    assert 0.85 * size < taken(store) < 1.25 * size


def test_a_training_counts_as_what_it_will_take_until_it_has_ended(store: Store, worker: Observations) -> None:
    run = start(store, kind="train")
    assert taken(store) == TRAINING > 1 * MB
    fill(store, worker, run, count=8, state="done")
    assert taken(store) < 10_000


def test_ended_runs_go_first_then_abandoned_then_forgotten_ones(store: Store, worker: Observations) -> None:
    forgotten, abandoned, ended, later, paused, running, pinned = (start(store) for _ in range(7))
    child = store.requests.create_child(ended, "training_plane", {})
    for run in (forgotten, paused):
        store.requests.want(run, "paused")
        fill(store, worker, run, state="paused")
    fill(store, worker, abandoned, state="paused")
    store.requests.want(abandoned, "cancelled")
    for run in (ended, later, pinned):
        fill(store, worker, run, state="done")
    store.requests.pin(pinned, True)
    ago(store, 8 * DAY)
    ago(store, 6 * DAY, paused)
    assert order_of_pruning(store, worker) == [ended, later, abandoned, forgotten]
    assert {record.id for record in store.reader.runs(100)} == {paused, running, pinned}
    with pytest.raises(UnknownRun):
        store.reader.run(child)
    assert order_of_pruning(store, worker, Limits(0, None, 5.0)) == [paused]
    with store.database.reading() as connection:
        assert set(connection.execute(select(t.checkpoints.c.run)).scalars()) == {pinned}


def test_a_run_that_is_worked_on_or_looked_at_stays(store: Store, worker: Observations, other: Observations) -> None:
    held, orphaned, seen, seen_child = (start(store) for _ in range(4))
    for run in (held, orphaned, seen, seen_child):
        fill(store, worker, run, state="done")
    child = store.requests.create_child(seen_child, "training_plane", {})
    ago(store, 3600)
    ago(store, 5, seen, child)
    assert worker.claim(store.reader.run(held)) and other.claim(store.reader.run(orphaned))
    with store.database.writing() as connection:  # its worker has died
        connection.execute(update(t.runs).where(t.runs.c.id == orphaned).values(lease_until=time.time() - 1))
    assert order_of_pruning(store, worker) == [orphaned]


def test_a_run_that_is_opened_meanwhile_stays(store: Store, worker: Observations) -> None:
    runs = [start(store) for _ in range(2)]
    for run in runs:
        fill(store, worker, run, state="done")
    ago(store, 3600)
    delete = worker._delete

    def open_then_delete(run: str, limits: Limits) -> bool:
        store.requests.renew([runs[1]])
        return delete(run, limits)

    worker._delete = open_then_delete  # type: ignore[method-assign]
    assert worker.prune(Limits(0, None, 7.0)) == 1
    assert [record.id for record in store.reader.runs(9)] == [runs[1]]


def test_paused_runs_fill_the_store_until_nothing_new_may_start(store: Store, worker: Observations) -> None:
    limits, started = Limits(4 * MB, None, 7.0), []
    with pytest.raises(StoreFull) as refused:
        for _ in range(12):
            started.append(start(store, kind="train", limits=limits))
            store.requests.want(started[-1], "paused")
    assert len(started) == 4 * MB // TRAINING == 2 and taken(store) <= limits.total
    assert str(refused.value) == (
        "PCVIZ_STORE_LIMIT: 3 MB of 4 MB are taken by runs that are pinned, unfinished or open, and a new one needs "
        "1.5 MB: cancel or unpin some, or close them and wait two minutes"
    )
    start(store, limits=limits)  # a small one fits
    with pytest.raises(StoreFull, match=r"needs 1.5 MB, above the 1 MB for runs: choose a smaller network"):
        start(store, kind="train", limits=Limits(MB, None, 7.0))
    ago(store, 8 * DAY)
    assert start(store, kind="train", limits=limits), "what will be pruned does not count"
    assert worker.prune(limits) == 1


def test_an_extra_is_refused_as_well(store: Store, worker: Observations) -> None:
    run = start(store)
    fill(store, worker, run, count=MB, state="paused")
    with pytest.raises(StoreFull, match=r"PCVIZ_STORE_LIMIT: .* and a new one needs 400 B"):
        store.requests.create_child(run, "training_plane", {}, Limits(MB, None, 7.0))
    assert store.requests.create_child(run, "training_plane", {}, Limits(2 * MB, None, 7.0))


def test_whoever_leaves_an_ended_run_for_a_new_one_has_its_room(store: Store, worker: Observations) -> None:
    run, other = start(store), start(store)
    fill(store, worker, run, count=MB, state="done")
    limits = Limits(MB, None, 7.0)
    with pytest.raises(StoreFull):
        start(store, limits=limits)
    with pytest.raises(StoreFull):
        start(store, limits=limits, leaving=[other])
    assert start(store, limits=limits, leaving=[run])
    store.requests.pin(run, True)
    with pytest.raises(StoreFull):
        start(store, limits=limits, leaving=[run])


def test_an_owner_above_the_quota_loses_and_is_refused_alone(store: Store, worker: Observations) -> None:
    limits = Limits(100 * MB, MB, 7.0)
    mine = [start(store, "me") for _ in range(4)]
    yours = [start(store, "you") for _ in range(3)]
    for run in mine + yours:
        fill(store, worker, run, 300_000, state="done")
    ago(store, 3600)
    assert worker.prune(limits) == 1
    assert {record.id for record in store.reader.runs(9)} == {*mine[1:], *yours}
    for run in mine[1:]:
        store.requests.pin(run, True)
    big = start(store, "me")
    fill(store, worker, big, 200_000, state="paused")
    with pytest.raises(StoreFull, match=r"PCVIZ_OWNER_LIMIT: 1\.1 MB of 1 MB are taken by your runs that"):
        start(store, "me", limits=limits)
    assert start(store, "you", limits=limits)


def test_many_runs_are_deleted_a_few_at_a_time(store: Store, worker: Observations) -> None:
    for _ in range(12):
        fill(store, worker, start(store), 8, state="done")
    ago(store, 3600)
    assert [worker.prune(Limits(0, None, 7.0)) for _ in range(4)] == [5, 5, 2, 0]


def test_only_a_shared_server_has_quotas() -> None:
    settings = Settings.from_environment({"PCVIZ_OWNER_LIMIT": "5e6", "PCVIZ_PAUSED_DAYS": "2.5"})
    assert Limits.of(settings) == Limits(2_000_000_000, None, 2.5)
    assert Limits.of(Settings.from_environment({"PCVIZ_SHARED": "1"})).owner == 500_000_000
    with pytest.raises(ValueError, match="PCVIZ_PAUSED_DAYS: -1 is not a number above 0"):
        Settings.from_environment({"PCVIZ_PAUSED_DAYS": "-1"})


@pytest.mark.sqlite
def test_what_is_deleted_leaves_the_file_and_hardly_passes_through_the_log(
    store: Store, worker: Observations, tmp_path: Path
) -> None:
    kept, *going = (start(store) for _ in range(6))
    for run in (*going, kept):
        fill(store, worker, run, 16 * MB, state="done")
    store.requests.pin(kept, True)
    ago(store, 3600)
    assert file_size(store) > 96 * MB
    assert worker.prune(Limits(0, None, 7.0)) == 5
    assert (tmp_path / "pcviz.db-wal").stat().st_size < 8 * MB
    bites = 0
    while worker.give_back():
        bites += 1
    assert bites > 100 and file_size(store) < 20 * MB
    step, arrays = store.reader.checkpoint(kept, 1) or (0, {})
    assert step == 1 and arrays["w"].size == 2 * MB


def test_a_file_of_before_keeps_its_free_pages_and_uses_them_again(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copy(Path(__file__).parent / "stores" / "1.db", path)
    store = Store(f"sqlite:///{path}")
    worker = store.observations("host:1:a")
    with store.database.writing() as connection:
        connection.execute(update(t.runs).values(pinned=True))
    for _ in range(3):
        run = start(store)
        fill(store, worker, run, 4 * MB, state="done")
        ago(store, 3600)
        assert worker.prune(Limits(0, None, 7.0)) == 1
        assert not worker.give_back()
    worker.close()
    assert file_size(store) < 6 * MB
    store.close()


def test_a_run_that_fills_the_store_exactly_still_fits() -> None:
    limits = Limits(total=1000, owner=None, paused_days=7)
    assert refusal([], limits, "owner", 1000) is None
    assert "a new run needs 1 kB" in (refusal([], limits, "owner", 1001) or "")
