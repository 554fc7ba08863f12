"""A store holds data sets of one's own, as they were given, until somebody deletes them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pcviz.experiment import Experiment
from pcviz.store import Limits, Observations, Store
from pcviz.store.export import export
from tests.store.test_room import ago

NAME = "own-0123456789ab-regression-3-1-100-50"
OTHER = "own-ba9876543210-regression-3-1-100-50"


def learns(store: Store, name: str) -> str:
    """A run that learns from a data set."""
    return store.requests.create(Experiment().changed({"data.name": name}), "s", "", "paused", None)


def test_what_was_given_comes_back(store: Store) -> None:
    assert store.reader.dataset(NAME) is None
    store.requests.keep_dataset(NAME, bytes(range(256)))
    store.requests.keep_dataset(OTHER, b"other")
    store.requests.keep_dataset(NAME, bytes(range(256)))
    assert store.reader.dataset(NAME) == bytes(range(256))
    assert store.reader.datasets() == {NAME: 256, OTHER: 5}


def test_a_data_set_is_deleted_only_if_no_run_learns_from_it(store: Store) -> None:
    store.requests.keep_dataset(NAME, b"data")
    run = learns(store, NAME)
    with pytest.raises(ValueError, match=f"{NAME}: stored runs learn from it: 1 "):
        store.requests.delete_dataset(NAME)
    store.requests.delete(run)
    assert store.reader.dataset(NAME) == b"data"
    store.requests.delete_dataset(NAME)
    assert store.reader.datasets() == {}
    with pytest.raises(LookupError, match=f"{NAME}: the store holds no such data set"):
        store.requests.delete_dataset(NAME)


def test_making_room_keeps_data_sets(store: Store, worker: Observations) -> None:
    store.requests.keep_dataset(NAME, b"data")
    run = learns(store, NAME)
    store.requests.want(run, "cancelled")
    ago(store, 3600)
    assert worker.prune(Limits(0, None, 7.0)) == 1
    assert store.reader.dataset(NAME) == b"data"


@pytest.mark.sqlite
@pytest.mark.parametrize("over_the_wire", [False, True])
def test_an_export_holds_the_data_of_its_run_and_no_other(store: Store, tmp_path: Path, over_the_wire: bool) -> None:
    run, without = learns(store, NAME), store.requests.create(Experiment(), "s", "", "paused", None)
    for name in (NAME, OTHER):
        store.requests.keep_dataset(name, name.encode())
    file = store.database.file
    store.database.file = None if over_the_wire else file
    try:
        for number, one in enumerate((run, without)):
            export(store.database, one, tmp_path / f"{number}.db")
    finally:
        store.database.file = file
    for number, expected in enumerate(([(NAME, NAME.encode())], [])):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as connection:
            assert connection.execute("SELECT name, data FROM datasets").fetchall() == expected
