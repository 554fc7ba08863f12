"""Connections to SQLite (in write-ahead mode) or PostgreSQL, write transactions that never deadlock, and a cheap check
for changes.

Whatever keeps the store from being used raises `StoreFault`, here and in every statement; the next use tries again.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import ExceptionContext

from pcviz.store import address, server, versions
from pcviz.store.faults import MissingStore, StoreFault, explained
from pcviz.store.file import StoreFile

LOG = logging.getLogger(__name__)
BUSY_SECONDS = 5
LOG_BYTES = 64_000_000
"""The write-ahead log is cut to this size after it has grown beyond it."""
MIGRATING_SECONDS = 30
"""A process waits this long at a time while another one migrates the store."""


class Database:
    """A store, opened at its first use and again after its file was replaced; the first process migrates it.

    `founding`: this process makes a store where there is none, and rescues one whose file was deleted.
    Raises ValueError for a URL that cannot be used.
    """

    def __init__(self, url: str, *, founding: bool = True) -> None:
        self.engine: Engine = address.engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self.file = StoreFile(Path(self.engine.url.database or ""), BUSY_SECONDS) if self.sqlite else None
        self.place = str(self.file or self.engine.url.render_as_string(hide_password=True))
        self._founding = founding
        self._lock = threading.Lock()
        self._is_open = False
        self._times_opened = 0
        self._lost = ""
        event.listen(self.engine, "handle_error", self._explain)
        if self.sqlite:
            event.listen(self.engine, "do_connect", self._without_making_files)
            event.listen(self.engine, "connect", self._prepare_sqlite)
            event.listen(self.engine, "begin", self._begin_sqlite)
        else:
            event.listen(self.engine, "begin", server.begin)
            event.listen(self.engine, "checkin", server.close_listener)

    def open(self) -> None:
        """Check that the store exists, is ours and up to date; takes microseconds if it is open. Raises StoreFault."""
        if self._is_open and not (self.file and self.file.moved):
            return
        with self._lock:
            if self.file and self.file.moved:
                self._leave(self.file)
            if not self._is_open:
                self._times_opened += 1  # connections of an earlier opening belong to another file
                try:
                    self._found_or_migrate()
                except BaseException:
                    self.engine.dispose()  # its connections belong to this opening
                    raise
                self._is_open, self._lost = True, ""

    def close(self) -> None:
        """Close idle connections; the next use opens it again."""
        with self._lock:
            self.engine.dispose()
            self._is_open = False
            if self.file:
                self.file.let_go()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose statements all see one state of the database."""
        self.open()
        with self.engine.connect() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level=server.SNAPSHOT)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back by an exception."""
        self.open()
        with self.engine.connect() as connection:
            connection.execution_options(immediate=True)
            with connection.begin():
                yield connection

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """For direct calls of a driver: its exceptions become StoreFault."""
        try:
            yield
        except Exception as error:
            if fault := explained(error, self.place):
                raise fault from error
            raise

    def check(self, connection: Any) -> None:
        """Raise StoreFault if a driver's connection, given by its `info`, belongs to a file that is gone."""
        if self.file and (self.file.moved or connection.get("times_opened") != self._times_opened):
            raise MissingStore(f"{self.place} was deleted or replaced while pcviz was running")

    def _leave(self, file: StoreFile) -> None:
        """Let go of a file that was deleted or replaced. A founding process first saves its content, unless the file is
        back."""
        if self._founding and file.replaced:
            saved = file.rescue()
            self._lost = (
                f"{file} was deleted while pcviz was running; its content is in {saved}: give that file the old name, "
                "and pcviz continues by itself, or restart pcviz with an empty store"
            )
            LOG.error("%s was deleted or replaced while pcviz was running; its content is in %s", file, saved)
        self.engine.dispose()
        file.leave()
        self._is_open = False

    def _found_or_migrate(self) -> None:
        if self.file is None:
            self._migrate_server()
            return
        self.file.check()
        if self._version(self.file) != versions.CURRENT:
            self._migrate(self.file)
        self.file.hold()

    def _migrate_server(self) -> None:
        with self.engine.connect() as connection:
            connection.execution_options(immediate=True, patience=MIGRATING_SECONDS)
            with connection.begin():
                version = versions.version_of(connection, self.place)
                if version is None and not self._founding:
                    raise MissingStore(f"{self.place} is empty; restart pcviz to make an empty store there")
                if version != versions.CURRENT:
                    versions.upgrade(connection, self.place)

    def _version(self, file: StoreFile) -> int | None:
        """The version of a file's tables, read without changing even the journal mode; None for an empty file."""
        if not file.empty:
            with file.reading() as raw:
                engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
                event.listen(engine, "handle_error", self._explain)
                with engine.connect() as connection:
                    return versions.version_of(connection, self.place)
        if self._lost or not self._founding:
            raise MissingStore(self._lost or f"{file} is not there; put it back, or restart pcviz with an empty store")
        file.make()
        return None

    def _migrate(self, file: StoreFile) -> None:
        with self.engine.connect() as connection:
            connection.execution_options(immediate=True, patience=MIGRATING_SECONDS)
            with connection.begin():
                version = versions.version_of(connection, self.place)  # another process may have migrated it meanwhile
                if version == versions.CURRENT:
                    return
                saved = None if version is None else file.backup(f"before-version-{versions.CURRENT}")
                versions.upgrade(connection, self.place)
        if saved is not None:
            LOG.warning("%s has version %d now; a copy of the file before that is in %s", file, versions.CURRENT, saved)

    def _explain(self, context: ExceptionContext) -> StoreFault | None:
        """What SQLAlchemy raises instead of the driver's exception; after a failed ping it only reconnects."""
        return None if context.is_pre_ping else explained(context.original_exception, self.place)

    def _without_making_files(self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        assert self.file is not None
        arguments[0] = f"{self.file.path.as_uri()}?mode=rw"
        options["uri"] = True

    def _prepare_sqlite(self, connection: Any, record: Any) -> None:
        record.info["times_opened"] = self._times_opened
        connection.text_factory = lambda text: text.decode(errors="replace")  # one bad byte must not stop a page
        connection.isolation_level = None  # the driver would begin transactions too late; `_begin_sqlite` does it
        with self.explaining():
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            # Some builds overwrite deleted content, all of it through the log: 4 s and 800 MB of log for 800 MB.
            connection.execute("PRAGMA secure_delete = OFF")
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")

    def _begin_sqlite(self, connection: Connection) -> None:
        self.check(connection.info)
        # A transaction that reads first and writes later fails at once when another one wrote in between, so writers
        # take the write lock before they read.
        options = connection.get_execution_options()
        patience = options.get("patience", BUSY_SECONDS)
        if patience != BUSY_SECONDS:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")
        if patience != BUSY_SECONDS:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


class Watcher:
    """Reports whether others committed since the last check, in 0.1 ms. For one thread at a time.

    Commits through its own `connection` do not count; transactions on it are writes if `immediate`. Raises StoreFault;
    once the store's file was replaced, at every call.
    """

    def __init__(self, database: Database, *, immediate: bool = False) -> None:
        database.open()
        self._database = database
        self.connection = database.engine.connect().execution_options(immediate=immediate)
        # Not through SQLAlchemy, which would begin a transaction and see one state of the database for ever.
        self._driver: Any = self.connection.connection.driver_connection
        self._version: int | None = None
        if not database.sqlite:
            with database.explaining():
                server.listen(self._driver, self.connection.info)

    def changed(self) -> bool:
        """Whether others committed since the last call; True at the first call."""
        self._database.check(self.connection.info)
        with self._database.explaining():
            return self._sqlite_changed() if self._database.sqlite else self._server_changed()

    def _sqlite_changed(self) -> bool:
        version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def _server_changed(self) -> bool:
        first, self._version = self._version is None, 0
        return server.heard(self._driver) or first

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()
