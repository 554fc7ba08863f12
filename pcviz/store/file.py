"""The file of a SQLite store: whether it is one, whether it is still the one that was opened, copies of it."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from pcviz.store.faults import MissingStore, StoreFault, explained

Identity: TypeAlias = tuple[int, int]
"""Device and number of a file: another one under the same name has another identity."""

LEAST_BYTES = 512
"""No database is smaller, unless it is empty."""
COPY_SECONDS = 10.0
"""A copy waits this long for a source that another program has locked."""
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class StoreFile:
    """The file of a store. `hold` keeps it open, so that its content can be rescued after it was deleted.

    `patience`: seconds to wait for another program that has locked it.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path.absolute()
        self._patience = patience
        self._identity: Identity | None = None
        self._logs: dict[Path, Identity | None] = {}
        self._held: sqlite3.Connection | None = None

    def __str__(self) -> str:
        return str(self.path)

    @property
    def empty(self) -> bool:
        """Whether the file does not exist or has no content."""
        return not self.path.exists() or self.path.stat().st_size == 0

    @property
    def replaced(self) -> bool:
        """Whether the file that is held was deleted, or another one has its name now."""
        return self._identity is not None and _identity(self.path) != self._identity

    @property
    def moved(self) -> bool:
        """Whether it is `replaced`, or was for a while: then another process has removed the log that is held, and
        other processes write into a new one."""
        return self.replaced or any(_identity(path) != was for path, was in self._logs.items())

    def check(self) -> None:
        """Raise StoreFault if the path cannot hold a SQLite file, or holds a file too small to be one."""
        try:
            if self.path.is_dir():
                raise StoreFault(f"{self} is a folder; name a file in PCVIZ_DATABASE, such as {self.path / 'pcviz.db'}")
            if not self.path.parent.is_dir():
                raise StoreFault(
                    f"{self} cannot be made: the folder {self.path.parent} does not exist; make it, or name another "
                    "file in PCVIZ_DATABASE"
                )
            # Never opened here: if anything but SQLite closes the file, the locks that SQLite has on it are dropped.
            if not self.empty and self.path.stat().st_size < LEAST_BYTES:
                raise StoreFault(f"{self} is not a pcviz store; name another file in PCVIZ_DATABASE")
        except OSError as error:
            raise StoreFault(
                f"{self} cannot be opened ({error.strerror}); give permission, or name another file in PCVIZ_DATABASE"
            ) from error

    def make(self) -> None:
        """Make a database without tables that can return free pages to the disk later. Raises StoreFault."""
        try:
            self.path.open("ab").close()
            with self._explaining(), closing(sqlite3.connect(self.path, self._patience)) as connection:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("VACUUM")  # stores the setting in the file
        except OSError as error:
            raise StoreFault(
                f"{self} cannot be made ({error.strerror}); give permission, or name another file in PCVIZ_DATABASE, "
                "such as sqlite:////tmp/pcviz.db"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that cannot write; it creates no log if there is none. Raises StoreFault."""
        immutable = "" if any(self._beside(end).exists() for end in ("-wal", "-journal")) else "&immutable=1"
        address = f"{self.path.as_uri()}?mode=ro{immutable}"
        with self._explaining(), closing(sqlite3.connect(address, self._patience, uri=True)) as connection:
            yield connection

    def hold(self) -> None:
        """Keep the file open from now on, and remember which one it is."""
        self.let_go()
        with self._explaining():
            address = f"{self.path.as_uri()}?mode=rw"
            self._held = sqlite3.connect(address, self._patience, uri=True, check_same_thread=False)
            self._held.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the write-ahead log too
            self._identity = _identity(self.path)
            if self._identity is None:
                raise MissingStore(f"{self} is not there")
            self._logs = {path: _identity(path) for path in (self._beside("-wal"), self._beside("-shm"))}

    def let_go(self) -> None:
        """The inverse of `hold`."""
        if self._held is not None:
            self._held.close()
        self._held = self._identity = None
        self._logs = {}

    def leave(self) -> None:
        """Let go of a file that was deleted or replaced. Its log is named after it and must not become that of another
        file: the content of the log is moved into the file, wherever that is now."""
        assert self._held is not None
        with suppress(sqlite3.Error):
            self._held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        logs = self._logs
        self.let_go()
        for path, was in logs.items():
            if was is not None and _identity(path) == was:
                path.unlink(missing_ok=True)

    def rescue(self) -> Path:
        """Copy the content of the deleted file that is held to a new file; returns its path. Raises StoreFault."""
        assert self._held is not None
        return self._copy(self._held, f"rescued-{time.strftime('%Y%m%d-%H%M%S')}")

    def backup(self, label: str) -> Path:
        """Copy the file as it is, its write-ahead log included; returns the path of the copy. Raises StoreFault."""
        with self.reading() as connection:
            return self._copy(connection, label)

    def _copy(self, source: sqlite3.Connection, label: str) -> Path:
        target = self._free_name(label)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with self._explaining(unfinished), closing(sqlite3.connect(unfinished)) as copy:
                source.backup(copy, progress=self._until_too_late())
            unfinished.rename(target)
        except OSError as error:
            raise StoreFault(
                f"{target} cannot be written ({error.strerror}); make room for a copy beside it"
            ) from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return target

    def _until_too_late(self) -> Callable[[int, int, int], None]:
        """A callback that ends a copy after it has waited too long for a lock: SQLite would wait for ever."""
        deadline = time.monotonic() + COPY_SECONDS

        def stop_waiting(status: int, _remaining: int, _total: int) -> None:
            if status in LOCKED and time.monotonic() > deadline:
                raise StoreFault(f"{self} is locked by another program; close that, and pcviz continues by itself")

        return stop_waiting

    def _beside(self, end: str) -> Path:
        return self.path.with_name(self.path.name + end)

    def _free_name(self, label: str) -> Path:
        stem = f"{self.path.stem}.{label}"
        names = (f"{stem}{'' if number == 1 else f'-{number}'}{self.path.suffix}" for number in range(1, 10_000))
        return next(path for name in names if not (path := self.path.with_name(name)).exists())

    @contextmanager
    def _explaining(self, place: Path | None = None) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if not self.path.exists() and place is None:
                raise MissingStore(f"{self} is not there") from error
            raise (explained(error, str(place or self)) or error) from error


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreFault(
            f"{path} cannot be found ({error.strerror}); fix that, and pcviz continues by itself"
        ) from error
    return found.st_dev, found.st_ino
