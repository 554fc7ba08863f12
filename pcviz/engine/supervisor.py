"""Keeps one worker alive as long as the server lives."""

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

from pcviz.settings import Settings
from pcviz.store import Store, StoreFault

LOG = logging.getLogger(__name__)
FIRST_DELAY, LAST_DELAY = 0.2, 10.0
IDLE_CHECK_SECONDS = 5.0
LOOK_SECONDS = 1.0
STOP_SECONDS, TERMINATE_SECONDS = 2.0, 1.0


class Supervisor:
    """Starts a worker, restarts it when it dies and stops it at the end; pauses runs nobody watches (shared servers).

    The worker ends by itself when its standard input closes, so it cannot outlive a server that was killed.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pcviz-supervisor", daemon=True)
        self.fault = ""
        """Why the worker cannot use the store, as it reports on standard output: the store cannot carry the message."""
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0

    def start(self) -> None:
        """Start the worker and watch it from a separate thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Begin to stop without waiting; safe in a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the worker: ask, then terminate, then kill; returns when it is gone."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        delay = FIRST_DELAY
        try:
            while not self._stopping.is_set():
                started = time.time()
                try:
                    self.process = self._spawn()
                    self._listen(self.process)
                except OSError:
                    LOG.exception("Cannot start a worker; trying again in %.1f s", delay)
                else:
                    code = self._wait(self.process)
                    if code is None:
                        break
                    if self._committed_since(started):
                        delay = FIRST_DELAY
                    LOG.warning("The worker ended with status %s; starting another one in %.1f s", code, delay)
                self._stopping.wait(delay)
                delay = min(2 * delay, LAST_DELAY)
                self.restarts += 1
        finally:
            if self.process is not None:
                _end(self.process)

    def _spawn(self) -> subprocess.Popen[bytes]:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        # glibc gives each thread a heap and leaves free memory in all of them: a worker grew by 13 % in ten minutes of
        # the same work. A single heap is as fast, and a tenth smaller.
        heaps = {"MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "1")}
        return subprocess.Popen(
            [sys.executable, "-m", "pcviz.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                **heaps,
                "PYTHONPATH": path,
                "PCVIZ_DATABASE": self._settings.database,
                "PCVIZ_SHARED": str(int(self._settings.shared)),
            },
            start_new_session=True,  # the server handles an interrupt from the keyboard
        )

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Note the faults that the worker reports, in a thread, until it ends."""

        def note_faults() -> None:
            with process.stdout or nullcontext(()) as lines:
                for line in lines:
                    self.fault = line.decode(errors="replace").strip()
            self.fault = ""

        threading.Thread(target=note_faults, name="pcviz-worker-output", daemon=True).start()

    def _wait(self, process: subprocess.Popen[bytes]) -> int | None:
        """Exit status of the worker, or None if the supervisor was asked to stop."""
        looked = paused = time.monotonic()
        while not self._stopping.wait(0.05):
            if process.poll() is not None:
                _end(process)
                return process.returncode
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._look_at_store()
            if self._settings.shared and time.monotonic() - paused > IDLE_CHECK_SECONDS:
                paused = time.monotonic()
                self._pause_unseen()
        return None

    def _look_at_store(self) -> None:
        """Open the database, so that a deleted file is rescued even while no page is open."""
        try:
            self._store.database.open()
        except StoreFault:
            pass  # the pages report it
        except Exception:
            LOG.exception("Cannot check the store")

    def _pause_unseen(self) -> None:
        with suppress(StoreFault):  # the worker meets the fault too, and reports it
            self._store.requests.pause_unseen(time.time() - 60 * self._settings.idle_minutes)

    def _committed_since(self, started: float) -> bool:
        try:
            return self._store.reader.last_commit() > started
        except StoreFault:
            return False


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    for act, patience in ((process.terminate, STOP_SECONDS), (process.kill, TERMINATE_SECONDS)):
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            act()
    process.wait()
