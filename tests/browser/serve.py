"""The real app as a subprocess, for tests."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class App:
    """A running app: its address without a trailing slash, its port, its process, its database URL and its log."""

    url: str
    port: int
    process: psutil.Popen
    database: str
    log: Path

    def descendants(self) -> list[psutil.Process]:
        """Processes that the app started: the worker."""
        return self.process.children(recursive=True)

    def wait_until_healthy(self) -> None:
        """Return as soon as the app answers; raises AssertionError with its log if it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                    if answer.read() == b"ok":
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"the app did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        """End the app by SIGTERM; raises AssertionError if it, or the worker that it started, outlives 5 seconds."""
        processes = [self.process, *self.descendants()] if self.process.is_running() else [self.process]
        self.process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
        for process in alive:
            process.kill()
        assert not alive, f"still running {STOP_SECONDS:g} s after SIGTERM: {alive}\n{self.log.read_text()}"


@contextmanager
def running_app(folder: Path, *options: str, base: str = "", **environment: str) -> Iterator[App]:
    """Start the app with its database and log in `folder`, wait until it is healthy, stop it at the end.

    `options` are further command-line options of `streamlit run`, `base` is a path to serve it under, such as
    "/lab/pcviz", `environment` further environment variables. A second app in the same folder finds the runs of the
    first.
    """
    port = _free_port()
    database, log = f"sqlite:///{folder / 'pcviz.db'}", folder / "app.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.headless", "true", "--server.address", "localhost", "--server.port", str(port)]
    command += ["--browser.gatherUsageStats", "false", "--server.baseUrlPath", base, *options]
    with log.open("ab") as output:
        process = psutil.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PCVIZ_DATABASE": database, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    app = App(f"http://localhost:{port}{base}", port, process, database, log)
    try:
        app.wait_until_healthy()
        yield app
    finally:
        app.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])
