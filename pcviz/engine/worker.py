"""The worker process, `python -m pcviz.engine.worker`: claims runs and does what is requested, in fair slices.

It ends when its standard input closes (its server is gone); `--detached` is for workers that are started by hand, on
another machine, with PCVIZ_DATABASE naming the shared store. PCVIZ_JOBS names the module that holds `JOBS` (for tests).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from pcviz.engine.datasets import provide
from pcviz.engine.lease import is_stale, worker_name
from pcviz.engine.leased import LeasedRun
from pcviz.engine.outage import Outage
from pcviz.engine.scheduler import Ledger, slice_seconds
from pcviz.experiment import Experiment
from pcviz.jobs.protocol import Remembers
from pcviz.settings import Settings
from pcviz.store import Limits, Lost, RunRecord, Store, StoreFault

if TYPE_CHECKING:  # importing pcviz.jobs loads JAX, for which the main thread does not wait
    from pcviz.jobs.protocol import Job

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0
RENEW_SECONDS = 2.5
PRUNE_SECONDS = 30.0
REST_SECONDS = 60.0
"""A paused run keeps its job in memory this long; then a checkpoint is written and the run is released."""
RESTING_RUNS = 8
MOST_STRIKES = 10
"""A run whose worker died this often without a frame in between has failed: it would stop all other runs."""
EXIT_SECONDS = 3.0

Jobs: TypeAlias = "Mapping[str, Callable[..., Job]]"


def load_jobs() -> Jobs:
    """The kinds of work. Imports JAX, which takes seconds: call it in the preparing thread."""
    jobs: Jobs = importlib.import_module(os.environ.get("PCVIZ_JOBS", "pcviz.instruments.jobs")).JOBS
    return jobs


class Worker:
    """Brings runs to the state that is requested, `turn` by `turn`, in one thread; prepares jobs in another."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        jobs: Callable[[], Jobs] = load_jobs,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """`tell` is called with the fault if the worker cannot use the store, with an empty text when it can again."""
        self.name = worker_name()
        self._tell = tell or _ignore
        self._unreadable: set[str] = set()
        self._store = store
        self._settings = settings
        self._jobs = jobs
        self._observations = store.observations(self.name)
        self._leased: dict[str, LeasedRun] = {}
        self._ledger = Ledger()
        self._preparing = ThreadPoolExecutor(1, "pcviz-prepare")
        self._prepared: tuple[LeasedRun, Future[Job]] | None = None
        self._looked_at = self._pruned_at = float("-inf")
        self._giving_back = False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then release all runs."""
        self._preparing.submit(self._warm)
        threading.Thread(target=self._renew_leases, args=(stop,), daemon=True).start()
        outage = Outage(self._tell)
        while not stop.is_set():
            try:
                if not self.turn():
                    stop.wait(POLL_SECONDS)
                outage.look()
            except StoreFault as fault:
                self._drop_all()
                stop.wait(outage.note(fault))
        with contextlib.suppress(StoreFault):
            self._observations.release_all()
        self._observations.close()

    def _warm(self) -> None:
        """Import the jobs and compile what the default experiment needs, so that a first run does not wait for it."""
        with contextlib.suppress(Exception):  # whatever it is, a run that meets it will say so
            self._jobs()["train"](Experiment()).prepare()

    def turn(self) -> bool:
        """Read requests, then give one run one slice; False if no run had anything to do."""
        now = time.monotonic()
        if self._observations.changed() or now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            self._reconcile()
            self._let_go()
        if now - self._pruned_at > PRUNE_SECONDS:
            self._giving_back = True
            if not self._observations.prune(Limits.of(self._settings)):
                self._pruned_at = now
        self._giving_back = self._giving_back and self._observations.give_back()
        self._collect_prepared()
        for leased in [*self._leased.values()]:
            self._guard(leased, self._settle, leased)
        self._prepare_next()
        ready = {leased.candidate: leased for leased in self._leased.values() if self._has_work(leased)}
        chosen = self._ledger.next([*ready])
        if chosen is None:
            return False
        leased, began = ready[chosen], time.monotonic()
        self._guard(leased, leased.work, slice_seconds(len(ready)))
        self._ledger.charge(chosen, time.monotonic() - began)
        return True

    def _reconcile(self) -> None:
        """Claim runs that need a worker, follow requests, forget runs that other workers took."""
        records = {record.id: record for record in self._store.reader.open_runs() if self._is_readable(record)}
        for gone in [leased for run, leased in self._leased.items() if run not in records]:
            self._forget(gone)
        for record in records.values():
            leased = self._leased.get(record.id)
            if leased is not None and (leased.record.generation, record.worker) != (record.generation, self.name):
                self._forget(leased)
                leased = None
            if leased is None:
                leased = self._claim(record)
            if leased is not None:
                self._guard(leased, leased.follow, record)

    def _is_readable(self, record: RunRecord) -> bool:
        """Whether this version can read the run; if not, it stays as it is, for a version that can."""
        if record.unreadable is not None and record.id not in self._unreadable:
            self._unreadable.add(record.id)
            LOG.warning("Run %s is left alone: %s", record.id, record.unreadable)
        return record.unreadable is None

    def _claim(self, record: RunRecord) -> LeasedRun | None:
        """Claim a run that is free, already ours, or held by a dead worker; None if that fails."""
        parent = self._leased.get(record.parent) if record.parent else None
        if record.parent and parent is None:  # another worker's: it cannot take the child while we hold it
            if record.worker == self.name:
                with contextlib.suppress(Lost):
                    self._observations.release(record.id, record.generation)
            return None
        dead = record.worker is not None and record.worker != self.name
        if dead and not is_stale(record):
            return None
        restarted = dead and record.state in ("compiling", "running")
        message = f"The worker was restarted; resumed from step {record.step}." if restarted else None
        if not self._observations.claim(record, message, restarted=restarted):
            return None
        if restarted:
            LOG.warning("Run %s: %s", record.id, message)
            record = replace(record, state="queued", strikes=record.strikes + 1)
        place = self._store.reader.last_place(record.id, record.generation)
        leased = self._leased[record.id] = LeasedRun(self._observations, record, parent, place)
        if record.strikes >= MOST_STRIKES and not leased.ended:
            message = f"The worker died {record.strikes} times in a row while it worked on this run; is it too large?"
            self._guard(leased, leased.fail, message)
        return leased

    def _settle(self, leased: LeasedRun) -> None:
        """Move a run to the state that it should be in; release it once nothing follows."""
        leased.settle()
        if leased.ended and not leased.has_work and not self._children_active(leased):
            self._release(leased)

    def _has_work(self, leased: LeasedRun) -> bool:
        return leased.has_work or (leased.replaying and self._children_active(leased))

    def _children_active(self, parent: LeasedRun) -> bool:
        """Whether a child needs the parent's job."""
        return any(not child.ended and child.state != "paused" for child in self._children(parent))

    def _children(self, parent: LeasedRun) -> list[LeasedRun]:
        return [leased for leased in self._leased.values() if leased.parent is parent]

    def _prepare_next(self) -> None:
        """Start to load and compile the job of the next run that needs one."""
        if self._prepared is not None:
            return
        prepared = Counter(leased.record.payer for leased in self._leased.values() if leased.job is not None)
        # A run that may have killed the last worker waits behind the others; so do owners that have many jobs already.
        for leased in sorted(
            self._leased.values(), key=lambda leased: (leased.record.strikes, prepared[leased.record.payer])
        ):
            if leased.job is None and self._wants_job(leased):
                self._guard(leased, leased.show_compiling)
                if self._leased.get(leased.record.id) is leased:
                    self._prepared = leased, self._preparing.submit(self._prepare, leased)
                return

    def _wants_job(self, leased: LeasedRun) -> bool:
        if leased.parent is not None:
            ready = leased.parent.job is not None and not leased.parent.replaying
            return ready and not leased.ended
        return not leased.resting or leased.wants_snapshot or self._children_active(leased)

    def _prepare(self, leased: LeasedRun) -> Job:
        record = leased.record
        make = self._jobs()[record.kind]
        provide(self._store, record.experiment.data.name)
        if leased.parent is not None:
            job = make(record.experiment, leased.parent.job, record.options)
        else:
            job = make(record.experiment, **self._extras(record))
            if isinstance(job, Remembers):
                job.memory = self._store.cells
        job.prepare()
        saved = self._store.reader.checkpoint(record.id, record.generation) if leased.parent is None else None
        if saved is not None:
            job.restore(saved[1])
        return job

    def _extras(self, record: RunRecord) -> dict[str, Any]:
        """What a job other than training needs besides its experiment: options, and the weights of a stored run."""
        if record.kind == "train":
            return {}
        source = record.options.get("source")
        if source is None:
            return {"options": record.options}
        reader = self._store.reader
        trained = reader.run(source)
        provide(self._store, trained.experiment.data.name)
        saved = reader.checkpoint(source, trained.generation)
        return {"options": record.options, "source": saved and (*saved, trained.experiment)}

    def _collect_prepared(self) -> None:
        if self._prepared is None or not self._prepared[1].done():
            return
        (leased, future), self._prepared = self._prepared, None
        if self._leased.get(leased.record.id) is leased:
            self._guard(leased, lambda: leased.adopt(future.result()))

    def _let_go(self) -> None:
        """Release runs that have been paused for long, and the longest paused ones if too many are in memory."""
        resting = [
            leased
            for leased in self._leased.values()
            if leased.parent is None and leased.state == "paused" and not (leased.has_work or self._wants_job(leased))
        ]
        resting.sort(key=lambda leased: leased.rested_at)
        for number, leased in enumerate(resting):
            too_many = len(resting) - number > RESTING_RUNS
            idle = leased.job is None and not self._is_preparing(leased)
            if idle or too_many or time.monotonic() - leased.rested_at > REST_SECONDS:
                self._guard(leased, leased.save)
                self._release(leased)

    def _is_preparing(self, leased: LeasedRun) -> bool:
        return self._prepared is not None and self._prepared[0] is leased

    def _release(self, leased: LeasedRun) -> None:
        for child in self._children(leased):
            self._release(child)
        if self._leased.get(leased.record.id) is leased:
            with contextlib.suppress(Lost):
                self._observations.release(leased.record.id, leased.record.generation)
            self._forget(leased)

    def _drop_all(self) -> None:
        """Drop all runs after the store failed: work not yet stored is computed again, from the checkpoints."""
        self._leased.clear()
        self._prepared = None
        self._looked_at = float("-inf")
        self._observations.close()

    def _forget(self, leased: LeasedRun) -> None:
        """Drop a run and its children from memory; those still ours are claimed again by the next `_reconcile`."""
        for run in [run for run, other in self._leased.items() if other is leased or other.parent is leased]:
            del self._leased[run]
        self._looked_at = float("-inf")

    def _guard(self, leased: LeasedRun, act: Callable[..., None], *arguments: Any) -> None:
        """Do something with a run: a lost run is dropped, a run whose job raises fails, the others continue."""
        if self._leased.get(leased.record.id) is not leased:
            return
        try:
            act(*arguments)
        except Lost:
            self._forget(leased)
        except StoreFault:
            raise
        except Exception as error:
            LOG.exception("Run %s failed", leased.record.id)
            # After a run has ended, its job works only for its children: they fail, the run keeps its state.
            failing = [child for child in self._children(leased) if not child.ended] if leased.ended else [leased]
            for failed in failing:
                try:
                    failed.fail(_one_line(error))
                except Lost:
                    self._forget(failed)
            leased.job = None

    def _renew_leases(self, stop: threading.Event) -> None:
        while not stop.wait(RENEW_SECONDS):
            if self._leased:
                try:
                    self._observations.renew()
                except StoreFault:
                    pass  # the main thread will meet the fault too, and reports it
                except Exception:
                    LOG.exception("Cannot renew the leases")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).replace("\0", " ").split())  # PostgreSQL refuses a NUL
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def _end_with_standard_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    stop.set()
    time.sleep(EXIT_SECONDS)
    os._exit(1)  # still in a slice that cannot be interrupted


def _ignore(_fault: str) -> None:
    """Do nothing, for a worker without a server: its log reports the fault."""


def _standard_output() -> Callable[[str], None]:
    """A function that writes lines to the server; only it uses standard output: what libraries print is logged."""
    lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def tell(fault: str) -> None:
        with contextlib.suppress(OSError):
            print(fault, file=lines)

    return tell


def main() -> None:
    """Run a worker until its standard input closes or it receives a signal to end."""
    parser = argparse.ArgumentParser(prog="python -m pcviz.engine.worker", description=main.__doc__)
    parser.add_argument("--detached", action="store_true", help="continue when standard input closes")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s worker %(levelname)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(5)
    stop = threading.Event()

    def end(_signal: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if not options.detached:
        threading.Thread(target=_end_with_standard_input, args=(stop,), daemon=True).start()
    settings = Settings.from_environment()
    tell = _ignore if options.detached else _standard_output()
    status = 1
    try:
        # A worker that a server started must find the server's store: it must not recreate a file that was deleted.
        Worker(Store(settings.database, founding=options.detached), settings, tell=tell).run(stop)
        status = 0
    except Exception:
        LOG.exception("The worker ends")
    finally:
        logging.shutdown()
        os._exit(status)  # otherwise the process would wait for a compilation that is still under way


if __name__ == "__main__":
    main()
