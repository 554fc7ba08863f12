"""Other processes that work for this one: on this machine, or on a Dask cluster. Loads no JAX.

Where they are follows from settings and flags alone, never from a page or an address: a Dask scheduler lets whoever
reaches it run any program.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pcviz.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10
COUNT_SECONDS = 1.0
"""The workers of a cluster are counted this often at most."""
Made = TypeVar("Made")


class Elsewhere(ABC, Generic[Made]):
    """A `pcviz.jobs.protocol.Elsewhere` whose executor is made when it is needed, and made anew when it broke."""

    place: str

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Made | None = None

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many calls are worked on at a time."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Let one of the processes call an importable function."""
        with self._lock:
            with suppress(RuntimeError):  # it broke, or was closed by what it connects to
                return self._executor(self._used()).submit(function, *arguments)
            self._made = None
            return self._executor(self._used()).submit(function, *arguments)

    def close(self) -> None:
        """End the processes, or leave the cluster; what nobody works on yet is cancelled."""
        with self._lock:
            if self._made is not None:
                self._end(self._made)
            self._made = None

    def _used(self) -> Made:
        if self._made is None:
            self._made = self._make()
        return self._made

    @abstractmethod
    def _make(self) -> Made: ...

    @abstractmethod
    def _executor(self, made: Made) -> Executor: ...

    @abstractmethod
    def _end(self, made: Made) -> None: ...


class Processes(Elsewhere[ProcessPoolExecutor]):
    """So many processes of this machine."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.place, self._count = f"{count} processes", count
        self._life: Connection | None = None

    @property
    def slots(self) -> int:
        """One for each process."""
        return self._count

    def _make(self) -> ProcessPoolExecutor:
        self._end_all()
        ends, self._life = Pipe(duplex=False)
        return ProcessPoolExecutor(self._count, get_context("spawn"), _begin, (ends,))  # JAX does not survive a fork

    def _executor(self, made: ProcessPoolExecutor) -> Executor:
        return made

    def _end(self, made: ProcessPoolExecutor) -> None:
        self._end_all()
        made.shutdown(wait=True, cancel_futures=True)

    def _end_all(self) -> None:
        if self._life is not None:
            self._life.close()


class Cluster(Elsewhere["Client"]):
    """The workers of a Dask scheduler, as many as there are at present."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.place, self._address = f"scheduler {address}", address
        self._slots, self._counted = 1, float("-inf")

    @property
    def slots(self) -> int:
        """One for each thread of each worker."""
        now = time.monotonic()
        client = self._made
        if client is not None and client.status == "running" and now - self._counted > COUNT_SECONDS:
            self._counted = now
            with suppress(OSError, RuntimeError):  # the connection is lost, which the calls report
                self._slots = max(1, sum(client.nthreads().values()))
        return self._slots

    def _make(self) -> Client:
        try:
            from distributed import Client
        except ImportError:
            raise ConnectionError(
                f"{self.place}: needs the package distributed, which is not installed: pip install pcviz[cluster]"
            ) from None
        try:
            return Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False, name="pcviz")
        except (OSError, ValueError) as error:
            raise ConnectionError(f"{self.place} cannot be reached: {error}") from None

    def _executor(self, made: Client) -> Executor:
        executor: Executor = made.get_executor(pure=False)
        return executor

    def _end(self, made: Client) -> None:
        made.close()


def elsewhere(settings: Settings) -> Processes | Cluster | None:
    """The processes that the settings name; None: the work is done here."""
    if settings.scheduler:
        return Cluster(settings.scheduler)
    return Processes(settings.sweep_workers) if settings.sweep_workers else None


def _begin(life: Connection) -> None:
    """In a new process: leave Ctrl-C to the parent; end when the other end of `life` closes, as it does if the parent
    is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()


def _end_with(life: Connection) -> None:
    with suppress(EOFError, OSError):
        life.recv_bytes()
    os._exit(1)
