"""A PostgreSQL server for tests: the one of the system's package, in a folder of its own, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

from pcviz.store import Store

USERS = ("postgres", "nobody")
"""Who runs the server where root runs the tests: it refuses root."""
TEMPLATE = "template_pcviz"
"""A database with the tables of a fresh store."""
HOW_TO_GET_ONE = "Tests on PostgreSQL need its server: install one (Debian: apt-get install postgresql)."
SETTINGS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "max_connections": "200"}
# A server must not outlive its tests, however these end: it goes, with its folder, when standard input closes.
WATCHED = '"$@" <&- & server=$!; cat >/dev/null; kill -QUIT $server 2>/dev/null && { wait $server; rm -rf "$PWD"; }'


def programs() -> Path | None:
    """The folder with the newest server's programs; None where none is installed."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not folders and (found := shutil.which("postgres")):
        folders = [Path(found).parent]
    return max(folders, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0, default=None)


def required() -> bool:
    """Whether a missing server is a failure (set where one is known to be there) and not a reason to skip."""
    return os.environ.get("PCVIZ_REQUIRE_POSTGRES") == "1"


def found() -> Path:
    """The folder with the server's programs. Skips the test where there is none, or fails it if one is `required`."""
    folder = programs()
    if folder is None:
        (pytest.fail if required() else pytest.skip)(HOW_TO_GET_ONE)
    return folder


class Server:
    """A server with a fresh folder of data, started by `start`, removed by `close`."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # The path of a socket must be short, and the server's user must reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="pcviz-"))
        self._data = self.folder / "data"
        self._as: dict[str, object] = {"cwd": self.folder}
        if os.geteuid() == 0:
            user = next(user for name in USERS if (user := _user(name)))
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        made = self._run(
            "initdb", "-D", str(self._data), "-U", "pcviz", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"
        )
        assert made.returncode == 0, made.stderr
        self.start()
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        store = Store(self.url(TEMPLATE))
        store.database.open()
        store.close()

    def url(self, database: str, user: str = "pcviz") -> str:
        """The URL of a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def fresh(self, template: str = TEMPLATE) -> str:
        """The name of a new database: that of a fresh store, or an empty one (`template0`)."""
        self.start()
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        """Delete a database, whoever still uses it."""
        self.start()
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What a statement returns, committed by itself, behind the back of pcviz."""
        with psycopg.connect(dbname=database, user="pcviz", host=str(self.folder), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server unless it runs; returns when it answers."""
        if self._process is not None:
            return
        options = [text for name, value in SETTINGS.items() for text in ("-c", f"{name}={value}")]
        server = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.folder), *options]
        with (self.folder / "log").open("ab") as log:
            streams = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log, "start_new_session": True}
            self._process = subprocess.Popen(["sh", "-c", WATCHED, "sh", *server], **streams, **self._as)  # type: ignore[call-overload]
        _wait(lambda: self._run("pg_isready", "-q", "-h", str(self.folder)).returncode == 0, self.log)

    def kill(self) -> None:
        """End the server as a power cut would: nobody is told, nothing is written down."""
        parent = self._postmaster()
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            process.kill()
        self._ended(family)

    def stop(self) -> None:
        """End the server and all its connections in order, as an update of it does."""
        parent = self._postmaster()
        parent.send_signal(signal.SIGINT)
        self._ended([parent])

    def close(self) -> None:
        """End the server and remove its data."""
        self._let_go()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the server has written down."""
        return (self.folder / "log").read_text(errors="replace")

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))

    def _ended(self, processes: list[psutil.Process]) -> None:
        psutil.wait_procs(processes, 30)
        self._let_go()

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(30)
        self._process = None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._programs / program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, **self._as)  # type: ignore[call-overload]


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _wait(condition: Callable[[], bool], told: Callable[[], str], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)
