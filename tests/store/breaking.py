"""How a store is made, and how it breaks."""

import sqlite3
from contextlib import closing
from pathlib import Path

from pcviz.experiment import Experiment
from pcviz.store import Store


def new_store(path: Path, *statements: str) -> str:
    """A store of this version with one paused run, and what is done to it; the run's id."""
    store = Store(f"sqlite:///{path}")
    run = store.requests.create(Experiment(), "s", "", "paused", None)
    store.close()
    change(path, *statements)
    return run


def store_at(path: Path) -> Store:
    """The store in this file."""
    return Store(f"sqlite:///{path}")


def change(path: Path, *statements: str) -> None:
    """Do something to a file behind the back of pcviz."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def overwrite(path: Path) -> None:
    """A new store whose table of runs begins with nonsense."""
    new_store(path)
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(bytes(range(256)) * 16)


def cut(path: Path) -> None:
    """A new store that ends too early."""
    new_store(path)
    with path.open("r+b") as file:
        file.truncate(8192)


def remove(path: Path) -> None:
    """Delete a store with its log."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
