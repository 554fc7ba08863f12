"""Every wish from every reachable state: workers die, stall, end and let go at any moment, and all that is wished comes
true in a bounded number of turns, with a history that nobody can tell from an undisturbed one.

Time is a counter that each unit of work moves on, so that an example is the same each time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, update

from pcviz.engine import lease, leased, scheduler
from pcviz.engine import worker as worker_module
from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.live.hub import Hub, Subscriber
from pcviz.settings import Settings
from pcviz.store import RunRecord, Store, observations
from pcviz.store.tables import checkpoints, frames, parts, runs
from tests.engine import fake_jobs
from tests.engine.conftest import experiment
from tests.engine.history import history_of, undisturbed

STEPS = 8
TURNS = 120
"""Every wish comes true within this many turns of each worker."""
NORMAL = 0
KINDS = (NORMAL, fake_jobs.LONG_STEPS, fake_jobs.FAILS, fake_jobs.DIVERGES)


@cache
def expected(steps: int, seed: int) -> list[np.ndarray]:
    """The energies after each step of an undisturbed run, up to where it fails."""
    return undisturbed(4 if seed == fake_jobs.FAILS else steps, seed)


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1e9

    def time(self) -> float:
        self.now += 1e-4
        return self.now

    monotonic = perf_counter = time

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Later(Future[Any]):
    """Work that is done when somebody has asked for it twice."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self._work: Callable[[], Any] | None = work
        self._asked = False

    def done(self) -> bool:
        if self._asked and self._work is not None:
            work, self._work = self._work, None
            try:
                self.set_result(work())
            except Exception as error:
                self.set_exception(error)
        self._asked = True
        return super().done()


class Preparing:
    """Stands in for the thread that loads and compiles."""

    def __init__(self, *_: object) -> None: ...

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Later:
        return Later(lambda: work(*arguments))


class Runs(RuleBasedStateMachine):
    """Wishes, turns of two workers, and what can happen to workers."""

    store: ClassVar[Store]
    some = Bundle("some")
    """Runs and children."""

    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        self.patches = pytest.MonkeyPatch()
        for module in (leased, worker_module, lease, observations, fake_jobs):
            self.patches.setattr(module, "time", self.clock)
        self.patches.setattr(worker_module, "ThreadPoolExecutor", Preparing)
        self.patches.setattr(scheduler, "CHECKPOINT_SECONDS", 0.3)
        self.patches.setattr(fake_jobs, "UNIT_SECONDS", 0.05)
        self.patches.setattr(fake_jobs, "UNITS", 5)
        with self.store.database.writing() as connection:
            for table in (parts, checkpoints, frames, runs):
                connection.execute(delete(table))
        self.client = Client(self.store)
        self.workers = [self._worker(), self._worker()]
        self.tops: list[str] = []

    def _worker(self) -> Worker:
        return Worker(self.store, Settings(), lambda: fake_jobs.JOBS)

    # --- wishes

    @rule(target=some, kind=st.sampled_from(KINDS), paused=st.booleans(), limit=st.none() | st.integers(1, STEPS + 1))
    def start(self, kind: int, paused: bool, limit: int | None) -> Any:
        if len(self.tops) == 4:
            return multiple()
        run = self.client.start(
            experiment(STEPS, kind), "s", wanted="paused" if paused else "running", allowed_until_step=limit
        )
        self.tops.append(run)
        return run

    @rule(target=some, parent=some, fail=st.integers(0, 9))
    def add_child(self, parent: str, fail: int) -> Any:
        if self.client.get(parent).parent is not None or len(self.client.children(parent)) == 2:
            return multiple()
        return self.client.add_child(parent, "training_plane", {"fail": fail == 0})

    @rule(run=some)
    def pause(self, run: str) -> None:
        self.client.pause(run)

    @rule(run=some)
    def resume(self, run: str) -> None:
        self.client.resume(run)

    @rule(run=some, count=st.integers(1, 3))
    def step(self, run: str, count: int) -> None:
        self.client.step(run, count)

    @rule(run=some, wanted=st.sampled_from([None, "running", "paused", "cancelled"]))
    def reset(self, run: str, wanted: Any) -> None:
        family = [run, *(child.id for child in self.client.children(run))]
        before = [self.client.get(each).generation for each in family]
        self.client.reset(run, wanted=wanted)
        assert all(self.client.get(each).generation > was for each, was in zip(family, before, strict=True))

    @rule(run=some)
    def cancel(self, run: str) -> None:
        self.client.cancel(run)

    @rule(run=some)
    def snapshot(self, run: str) -> None:
        self.client.snapshot(run)

    @rule(run=some, pinned=st.booleans())
    def pin_and_renew(self, run: str, pinned: bool) -> None:
        self.client.pin(run, pinned)
        self.client.renew([run])

    # --- what happens to workers

    @rule(which=st.integers(0, 1), count=st.integers(1, 12))
    def work(self, which: int, count: int) -> None:
        for _ in range(count):
            self.workers[which].turn()

    @rule(count=st.integers(1, 12))
    def both_work(self, count: int) -> None:
        for _ in range(count):
            for worker in self.workers:
                worker.turn()

    @rule(which=st.integers(0, 1))
    def die(self, which: int) -> None:
        self._expire(runs.c.worker == self.workers[which].name)
        self._follow(which)

    @rule(which=st.integers(0, 1))
    def stall(self, which: int) -> None:
        """Its leases run out, and it works on as if nothing had happened."""
        self._expire(runs.c.worker == self.workers[which].name)

    @rule(run=some)
    def stall_for_one(self, run: str) -> None:
        """One of its leases runs out before the others, as when it renews them while another worker takes over."""
        self._expire(runs.c.id == run)

    def _expire(self, *conditions: Any) -> None:
        with self.store.database.writing() as connection:
            connection.execute(update(runs).where(*conditions).values(lease_until=0.0))

    @rule(which=st.integers(0, 1))
    def end_orderly(self, which: int) -> None:
        self.workers[which]._observations.release_all()
        self._follow(which)

    def _follow(self, which: int) -> None:
        """Another worker comes; with the old one's process its connections end."""
        self.workers[which]._observations.close()
        self.workers[which] = self._worker()

    @rule()
    def rest(self) -> None:
        """A minute goes by: paused runs are let go."""
        self.clock.sleep(worker_module.REST_SECONDS + 1)
        self._renew()
        for worker in self.workers:
            worker.turn()

    def _renew(self) -> None:
        for worker in self.workers:
            worker._observations.renew()

    # --- what holds

    @rule()
    def everything_comes_true(self) -> None:
        for turn in itertools.count():
            open_wishes = [fault for record in self._records() if (fault := self._unfulfilled(record))]
            if not open_wishes:
                return self.histories_are_whole()
            assert turn < TURNS, open_wishes
            for worker in self.workers:
                worker.turn()
            self.clock.sleep(0.1)
            self._renew()

    def _records(self) -> list[RunRecord]:
        return self.client.store.reader.families(self.tops)

    def _unfulfilled(self, record: RunRecord) -> str | None:
        """What is still to come."""
        if record.ended:
            return None
        state = f"{record.kind}: {record.state} at {record.step}, wanted {record.wanted} {record.allowed_until_step}"
        if record.parent is None:
            snapshot = record.snapshot_wanted <= record.snapshot_done
            return None if record.state == "paused" and record.resting and snapshot else state
        parent = self.client.get(record.parent)
        at_rest = record.wanted == "paused" or (record.wanted == "running" and parent.state == "paused")
        return None if record.state == "paused" and at_rest else f"{state}, of {parent.state}"

    def histories_are_whole(self) -> None:
        for record in self._records():
            history = self.client.frames(record.id, ["energy"])
            assert history["seq"].tolist() == list(range(1, record.seq + 1))
            if record.parent is not None:
                assert np.all(np.diff(history["step"]) >= 0)
                continue
            assert np.all(np.diff(history["step"]) > 0)
            reference = expected(STEPS, record.experiment.seed)
            losses = np.array([energy[0] for energy in reference])
            for number, step in enumerate(history["step"]):
                np.testing.assert_array_equal(history["energy"][number], reference[step])
            table = history_of(self.client, record.id)
            assert table.step.tolist() == list(range(1, max(history["step"], default=0) + 1)), "each step once"
            np.testing.assert_array_equal(table.train_loss, losses[table.step])

    def teardown(self) -> None:
        try:
            self.everything_comes_true()
            for run in self.tops:
                self.client.resume(run)
            for child in self._records():
                self.client.resume(child.id)
            self.everything_comes_true()
            for record in self._records():
                assert record.ended, f"{record.kind} is {record.state} although nothing holds it up"
                if record.state == "done" and record.parent is None:
                    step, arrays = self.client.weights(record.id) or (0, {})
                    assert step == STEPS
                    np.testing.assert_array_equal(arrays["state"], expected(STEPS, record.experiment.seed)[STEPS])
            if self.tops:
                asyncio.run(self._streams_end())
            assert not self.client.store.reader.open_runs() or self._let_go_of_all()
        finally:
            for worker in self.workers:
                worker._observations.close()
            self.patches.undo()

    def _let_go_of_all(self) -> bool:
        for _ in range(TURNS):
            if not self.client.store.reader.open_runs():
                return True
            for worker in self.workers:
                worker.turn()
        return False

    async def _streams_end(self) -> None:
        hub, subscriber = Hub(self.store), Subscriber(self.tops, {})
        hub.subscribe(subscriber)
        events = b""
        while (batch := await subscriber.batch(10.0)) != Subscriber.END:
            assert batch is not None, "the stream goes on"
            events += batch
        hub.unsubscribe(subscriber)
        assert b"event: end" in events


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Runs]]:
    store = Store(database_url)
    yield type("Runs", (Runs,), {"store": store})
    store.close()


def test_every_wish_from_every_state_comes_true(machine: type[Runs]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=25))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_wish_from_very_many_states_comes_true(machine: type[Runs]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=2000, stateful_step_count=40, derandomize=False))
