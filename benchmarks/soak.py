"""Does the app's memory grow? Runs in a row and side by side, streams and pages that open and close, for minutes.

`python -m benchmarks.soak [--minutes 10] [--store-limit 2e9]`. Needs the development requirements, a browser. Warms up
until nothing new has been compiled for two minutes (some programs are rare), then measures. Prints a line a minute:
resident memory of server and worker, the store's file and its log, programs compiled, what was done; then the growth
from the first two minutes measured to the last two, which must stay within 3 %. Exit status 1 if it does not, or if a
run failed or the worker was restarted.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from pcviz.engine.client import Client
from pcviz.experiment import from_paths
from pcviz.store import TERMINAL, Store
from tests.browser.conftest import QUIET
from tests.browser.install import find_browser
from tests.browser.serve import App, running_app

SAMPLE_SECONDS = 2.0
PATIENCE_MS = 300_000
COMPARED_MINUTES = 2.0
QUIET_MINUTES = 2.0
MOST_GROWTH = 0.03
SHAPES: list[dict[str, Any]] = [
    {"network.depth": 8, "network.width": 32},
    {"network.depth": 16, "network.width": 64},
    {"network.depth": 5, "network.width": 16, "data.name": "moons"},
    {"network.depth": 8, "network.width": 32, "learning.rule": "bp"},
]
ROW = "{:6.1f} {:11.1f} {:11.1f} {:9.1f} {:8.1f} {:10d}"
Sample = tuple[float, float, float, float, float, int]
"""Minutes since the start; MB of the server, the worker, the store's file and its log; programs compiled."""


class Soak:
    """The load on one app, each kind of it in a thread of its own, until `stop` is set."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.client = Client(Store(app.database))
        self.done: Counter[str] = Counter()
        self.stop = threading.Event()
        self._runs: list[str] = []

    def one_after_another(self) -> None:
        """Train, with a landscape; look into a relaxation and at a surface."""
        for seed in itertools.count():
            shape = SHAPES[seed % len(SHAPES)]
            experiment = from_paths({**shape, "learning.steps": 100, "seed": seed})
            run = self.client.start(experiment, "one")
            self.client.add_child(run, "training_plane", {"directions": "pca"})
            self._wait_for(run)
            if "learning.rule" not in shape:
                self._wait_for(self.client.look("relax", experiment, {"source": run}, "one"))
            self.done["in a row"] += 1
            if self.stop.is_set():
                return

    def side_by_side(self) -> None:
        """Four trainings at once, of which one is paused and resumed, one reset and one cancelled."""
        for seed in itertools.count(1000):
            experiments = [from_paths({**shape, "learning.steps": 150, "seed": seed}) for shape in SHAPES]
            runs = [self.client.start(experiment, f"side {i}") for i, experiment in enumerate(experiments)]
            self.stop.wait(1.0)
            self.client.pause(runs[0])
            self.client.reset(runs[1], wanted="running")
            self.client.cancel(runs[2])
            self.stop.wait(1.0)
            self.client.resume(runs[0])
            for run in runs:
                self._wait_for(run)
            self.done["side by side"] += 1
            if self.stop.is_set():
                return

    def streams(self) -> None:
        """Eight streams of the newest runs, read for a second and left in the middle."""
        host = urlsplit(self.app.url).netloc
        while not self.stop.wait(1.0):
            connections = []
            for _ in range(8):
                connection = http.client.HTTPConnection(host, timeout=10)
                connection.request("GET", f"/live/frames?runs={','.join(self._runs[-3:])}")
                connections.append((connection, connection.getresponse()))
            for connection, answer in connections:
                answer.read1(100_000)
                connection.close()
                self.done["streams"] += 1

    def pages(self) -> None:
        """A tab that trains and is closed."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(find_browser()), args=list(QUIET))
            while not self.stop.is_set():
                page = browser.new_page()
                page.goto(f"{self.app.url}/?network_depth=6&network_width=16&learning_steps=60")
                page.locator(".st-key-play button").click(timeout=PATIENCE_MS)
                done = page.locator('[data-panel="learning-curves"][data-state="done"]')
                alert = page.get_by_role("alert").filter(visible=True)
                done.or_(alert).first.wait_for(timeout=PATIENCE_MS)
                if alert.count():
                    raise RuntimeError(alert.first.inner_text())
                page.close()
                self.done["pages"] += 1
            browser.close()

    def _wait_for(self, run: str) -> None:
        self._runs = [*self._runs[-9:], run]
        while (state := self.client.get(run).state) not in TERMINAL and not self.stop.wait(0.1):
            pass
        self.done[state if state in TERMINAL else "unfinished"] += 1


def sample(app: App, began: float) -> Sample:
    """Memory and files now."""
    (worker,) = (child for child in app.descendants() if "pcviz.engine.worker" in child.cmdline())
    path = Path(app.database.removeprefix("sqlite:///"))
    files = (item.stat().st_size if item.exists() else 0 for item in (path, path.with_name(f"{path.name}-wal")))
    memory = (process.memory_info().rss for process in (app.process, worker))
    programs = sum(1 for _ in Path(os.environ["XDG_CACHE_HOME"]).rglob("*-cache"))
    return ((time.monotonic() - began) / 60, *(count / 1e6 for count in (*memory, *files)), programs)  # type: ignore


def guarded(act: Callable[[], None], faults: list[str]) -> Callable[[], None]:
    """`act`, with any exception appended to `faults`, which are printed at the end."""

    def run() -> None:
        try:
            act()
        except Exception as error:
            faults.append(f"{act.__name__}: {error!r}")

    return run


def warm(samples: list[Sample]) -> bool:
    """Whether nothing new has been compiled for a while."""
    now = samples[-1]
    return any(row[0] <= now[0] - QUIET_MINUTES and row[5] == now[5] > 0 for row in samples)


def growth(samples: list[Sample], column: int) -> float:
    """Share by which the last minutes are above the first ones, by their medians."""
    first, last = samples[0][0] + COMPARED_MINUTES, samples[-1][0] - COMPARED_MINUTES
    before = statistics.median(row[column] for row in samples if row[0] < first)
    return statistics.median(row[column] for row in samples if row[0] >= last) / before - 1


def main() -> int:
    """Soak the app; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--store-limit", default="2e9")
    options = parser.parse_args()
    os.environ["PCVIZ_STORE_LIMIT"] = options.store_limit
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    samples: list[Sample] = []
    faults: list[str] = []
    with running_app(Path(tempfile.mkdtemp())) as app:
        soak, began = Soak(app), time.monotonic()
        acts = (soak.one_after_another, soak.side_by_side, soak.streams, soak.pages)
        threads = [threading.Thread(target=guarded(act, faults)) for act in acts]
        for thread in threads:
            thread.start()
            time.sleep(1.0)
        print("minute   server MB   worker MB   file MB   log MB   programs   done", flush=True)
        printed, measured = -1, float("inf")
        try:
            while (minute := (time.monotonic() - began) / 60) < measured + options.minutes and not faults:
                samples.append(sample(app, began))
                if measured == float("inf") and warm(samples):
                    samples, measured = samples[-1:], minute
                    print("warm", flush=True)
                if int(minute) > printed:
                    printed = int(minute)
                    print(ROW.format(*samples[-1]), dict(soak.done), flush=True)
                time.sleep(SAMPLE_SECONDS)
        finally:
            soak.stop.set()
            for thread in threads:
                thread.join()
        restarts = sum(record.restarts for record in soak.client.runs(10_000))
        print(f"runs kept: {len(soak.client.runs(10_000))}, largest log: {max(row[4] for row in samples):.1f} MB")
    grown = {name: growth(samples, column) for column, name in ((1, "server"), (2, "worker"))}
    for name, share in grown.items():
        print(f"{name}: {share:+.1%} (must stay within {MOST_GROWTH:.0%})")
    print(*faults, f"failed: {soak.done['failed']}, restarts: {restarts}", sep="\n")
    return int(bool(faults) or max(grown.values()) > MOST_GROWTH or soak.done["failed"] > 0 or restarts > 0)


if __name__ == "__main__":
    raise SystemExit(main())
