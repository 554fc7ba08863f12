"""A worker inside the test, turned by hand, with jobs that need no JAX."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment, from_paths
from pcviz.settings import Settings
from pcviz.store import Observations, Store
from tests.engine.fake_jobs import JOBS


def experiment(steps: int = 50, seed: int = 0) -> Experiment:
    """What a fake job needs to know."""
    return from_paths({"learning.steps": steps, "seed": seed})


@pytest.fixture
def client(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    store, made = Store(database_url), list[Observations]()
    make = store.observations

    def observations(worker: str) -> Observations:
        made.append(make(worker))
        return made[-1]

    monkeypatch.setattr(store, "observations", observations)
    yield Client(store)
    for each in made:
        each.close()
    store.close()


@pytest.fixture
def worker(client: Client) -> Worker:
    return Worker(client.store, Settings(), lambda: JOBS)


@contextmanager
def working(url: str) -> Iterator[list[str]]:
    """A worker with a store of its own in a thread; yields what it tells."""
    told: list[str] = []
    store, stop = Store(url, founding=False), threading.Event()
    worker = Worker(store, Settings(), lambda: JOBS, tell=told.append)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
        store.close()


def turn_until(worker: Worker, condition: Callable[[], bool], timeout: float = 20.0) -> None:
    """Let the worker work until something holds; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        if not worker.turn():
            time.sleep(0.002)


def wait_until(condition: Callable[[], bool], timeout: float = 20.0) -> float:
    """Wait for something to hold; returns how long it took, fails after `timeout` seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + timeout, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - began
