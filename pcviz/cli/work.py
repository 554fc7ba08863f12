"""Work that a command waits for: until it is done, its time is up, or Ctrl-C is pressed."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from pcviz.cli.flags import BadArguments, Flag
from pcviz.engine.elsewhere import Cluster, Processes, elsewhere
from pcviz.experiment import Experiment, cost
from pcviz.experiment.data import is_own
from pcviz.experiment.faults import one_line, shown
from pcviz.jobs.protocol import Incomplete
from pcviz.settings import MOST_WORKERS, Settings

if TYPE_CHECKING:
    from pcviz.jobs.look import Look
    from pcviz.jobs.protocol import Memory

DONE, FAILED, BAD, DIVERGED = 0, 1, 2, 3
"""Exit statuses; `pcviz.cli.flags.EXIT` says what they mean."""
SLICE_SECONDS = 0.5
LONGEST = 1e6
LIMIT = Flag("Stop after this many seconds and print the results so far", f"above 0 to {LONGEST:g}")
WORKERS = Flag("Measure in so many processes of this machine", f"1 to {MOST_WORKERS}")
SCHEDULER = Flag("Measure on the Dask cluster of this scheduler", "an address such as tcp://10.0.0.1:8786")
JSON = Flag("Print one JSON document on standard output, and nothing else there.")


def limit_of(flags: dict[str, str | None], default: float | None = None) -> float | None:
    """The seconds that `--limit` allows, else `default`. Raises BadArguments."""
    text = flags.get("limit")
    if text is None:
        return default
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= LONGEST:
            return float(text)
    raise BadArguments([f"limit: {shown(text)} is not possible (allowed: {LIMIT.allowed})"])


@contextlib.contextmanager
def elsewhere_of(flags: dict[str, str | None]) -> Iterator[Processes | Cluster | None]:
    """The processes that --workers or --scheduler names, until the work is done. Raises BadArguments."""
    workers, scheduler = flags.get("workers") or "0", flags.get("scheduler") or ""
    if "workers" in flags and not (workers.isascii() and workers.isdigit() and 0 < int(workers[:9]) <= MOST_WORKERS):
        raise BadArguments([f"workers: {shown(workers)} is not possible (allowed: {WORKERS.allowed})"])
    if "workers" in flags and scheduler:
        raise BadArguments(["workers: does not go with --scheduler (allowed: one of the two)"])
    found = elsewhere(Settings(sweep_workers=int(workers), scheduler=scheduler))
    try:
        yield found
    finally:
        if found is not None:
            found.close()


def memory() -> Memory:
    """What the store knows of the parts of groups, and is told."""
    from pcviz.store import Store  # SQLAlchemy, which help and bad arguments do not need

    return Store(Settings.from_environment().database).cells


def admit(experiment: Experiment) -> None:
    """Refuse experiments that do not fit into memory, and data sets that are not stored; warn on standard error of
    weight steps so long that a page would refuse them. Raises BadArguments."""
    if too_large := cost.memory_refusal(experiment):
        raise BadArguments(too_large)
    if is_own(experiment.data.name):
        import_module("pcviz.cli.data").fetch(experiment.data.name)
    for line in cost.long_step(experiment):
        print(f"warning: {line}", file=sys.stderr)


class Patience:
    """How long a command may continue. `why` is what ended it early: nothing (""), "limit" or "interrupted"."""

    def __init__(self, limit: float | None) -> None:
        self.why = ""
        self.fault = ""
        self._deadline = None if limit is None else time.monotonic() + limit

    @property
    def over(self) -> bool:
        """Whether to stop."""
        if not self.why and self._deadline is not None and time.monotonic() >= self._deadline:
            self.why = "limit"
        return bool(self.why)

    def status(self, *, diverged: bool, done: bool) -> str:
        """How the work ended, for the document."""
        if self.fault:
            return f"failed ({self.fault})"
        return "diverged" if diverged else "done" if done else f"stopped ({self.why})"


@contextlib.contextmanager
def patience(limit: float | None = None) -> Iterator[Patience]:
    """Patience that Ctrl-C ends; to be checked between two pieces of work. A second Ctrl-C interrupts at once."""
    made = Patience(limit)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if made.why:
            signal.default_int_handler(number, frame)
        made.why = "interrupted"
        print("stopping to print the results so far; Ctrl-C again stops at once", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():  # only the main thread handles signals
        yield made
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield made
    finally:
        signal.signal(signal.SIGINT, before)


class Progress(Protocol):
    """Called with the amount done, the total, the seconds left (NaN: not known yet), and what is going on."""

    def __call__(self, done: float, total: float, left: float = ..., text: str = ...) -> None: ...


@contextlib.contextmanager
def progress(unit: str, *, quiet: bool) -> Iterator[Progress]:
    """A progress bar on standard error, unless `quiet`; `unit` is what it counts."""
    if quiet:
        yield lambda done, total, left=float("nan"), text="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[text]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, left="", text="")

        def report(done: float, total: float, left: float = float("nan"), text: str = "") -> None:
            texts: dict[str, Any] = {"left": "" if left != left else f"{cost.seconds_text(left)} left", "text": text}
            bar.update(task, completed=done, total=total, **texts)

        yield report


def work_off(job: Look[Any], unit: str, limit: float | None, *, quiet: bool) -> Patience:
    """Prepare a look and advance it to its end, for `limit` seconds or until Ctrl-C; then finish the parts that were
    begun. Returns the Patience, whose `fault` is that of parts that failed. Shows a progress bar on standard error
    unless `quiet`."""
    with progress(unit, quiet=quiet) as report:
        report(0, job.steps, text="compiling")
        job.prepare()
        with patience(limit) as patient:
            try:
                while not job.done and not patient.over:
                    job.advance(job.steps, SLICE_SECONDS)
                    report(job.step, job.steps, job.seconds_left, job.doing)
                job.finish()
            except Incomplete as fault:
                patient.fault = str(fault)
    return patient


def answer(
    work: Callable[[], dict[str, Any]],
    summary: Callable[[dict[str, Any]], str],
    name: str,
    *,
    as_json: bool,
    bad: Callable[[dict[str, Any]], bool] = lambda document: bool(document["status"] == "diverged"),
) -> int:
    """Do `work` and print its document, as one line of JSON or as a summary; returns the exit status, which for a
    document that is `bad` is that of a network that diverged."""
    try:
        # Libraries that print must not break the one document on standard output.
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            document = work()
    except Exception as error:  # whatever went wrong is reported in one line
        print(f"{name} failed: {one_line(error)}", file=sys.stderr)
        return FAILED
    print(orjson.dumps(document).decode() if as_json else summary(document))  # orjson writes non-finite numbers as null
    if document["status"] not in ("done", "diverged"):
        return FAILED
    return DIVERGED if bad(document) else DONE
