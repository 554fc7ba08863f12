"""Connections: SQLite in write-ahead mode, write transactions that never deadlock, and a cheap look for changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from pcviz.store import address
from pcviz.store.tables import metadata

BUSY_SECONDS = 10
LOG_BYTES = 64_000_000
"""What the write-ahead log is cut to after it has grown beyond it."""


class Database:
    """An engine with its tables created. Raises ValueError for a URL that cannot be used."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = address.engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        with self.writing() as connection:
            metadata.create_all(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose statements all see one state of the database (on SQLite)."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back by an exception."""
        with self.engine.connect() as connection:
            connection.execution_options(immediate=True)
            with connection.begin():
                yield connection


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin transactions too late; `_begin_sqlite` does it
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only while the file is empty
    # Some builds overwrite what is deleted, all of it by way of the log: 4 s and 800 MB of log for 800 MB, not 0.05 s.
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another one wrote in between, so writers take
    # the write lock before they read.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


class Watcher:
    """Tells whether somebody else committed since the last look, for 0.1 ms on SQLite. One thread at a time.

    Commits through the watched connection itself do not count. Other databases always answer yes.
    """

    def __init__(self, database: Database, connection: Connection | None = None) -> None:
        self._own = connection is None
        self._connection = connection or database.engine.connect()
        self._sqlite = database.sqlite
        self._version: int | None = None

    def changed(self) -> bool:
        """True at the first call."""
        if not self._sqlite:
            return True
        # Not through SQLAlchemy, which would begin a transaction and see one state of the database for ever.
        driver: Any = self._connection.connection.driver_connection
        version = driver.execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        """Give the connection back, unless it was borrowed."""
        if self._own:
            self._connection.close()
