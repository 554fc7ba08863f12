"""A fresh store and two workers that could write to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pcviz.store import Observations, Store, database


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    store.database.open()
    yield store
    store.close()


@pytest.fixture
def worker(store: Store) -> Iterator[Observations]:
    worker = store.observations("host:1:a")
    yield worker
    worker.close()


@pytest.fixture
def other(store: Store) -> Iterator[Observations]:
    other = store.observations("host:2:b")
    yield other
    other.close()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a store may be made that nobody waits for."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    monkeypatch.setattr(database, "MIGRATING_SECONDS", 0)
    folder = tmp_path / "ein Ort"
    folder.mkdir()
    return folder / "pcviz.db"
