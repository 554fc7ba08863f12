"""Results of cells: known by their keys, kept once, the latest of them for ever."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pcviz.store import Store
from pcviz.store import cells as module

pytestmark = pytest.mark.postgresql


def test_what_was_kept_is_known(store: Store) -> None:
    assert store.cells.known(["a", "b"]) == {}
    store.cells.keep({"a": {"loss": 0.1 + 0.2, "curve": [1, 2]}, "b": {"loss": math.inf}})
    assert store.cells.known(["a", "b", "c"]) == {"a": {"loss": 0.1 + 0.2, "curve": [1, 2]}, "b": {"loss": math.inf}}
    store.cells.keep({"c": {"loss": math.nan}, "a": {"loss": 7}})
    assert store.cells.known(["a"])["a"]["loss"] == 0.1 + 0.2, "what is known stays"
    assert math.isnan(store.cells.known(["c"])["c"]["loss"])
    store.cells.keep({})


def test_what_many_find_at_once_is_kept_once(store: Store, database_url: str) -> None:
    stores, begin = [Store(database_url) for _ in range(4)], threading.Barrier(4)

    def find(number: int) -> None:
        for key in range(20):
            begin.wait(20)
            stores[number].cells.keep({f"{key}": number, f"{key} of {number}": key})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(find, range(4)))
    found = store.cells.known([f"{key}" for key in range(20)])
    assert len(found) == 20 and set(found.values()) <= set(range(4))
    for one in stores:
        one.close()


def test_thousands_are_found_at_once(store: Store) -> None:
    results = {f"{number:04}": number for number in range(2000)}
    store.cells.keep(results)
    assert store.cells.known(iter(results)) == results


def test_the_oldest_make_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    times = iter(range(5))
    monkeypatch.setattr(module.time, "time", lambda: float(next(times)))
    for key in "abcde":
        store.cells.keep({key: 1})
    assert set(store.cells.known("abcde")) == {"c", "d", "e"}
