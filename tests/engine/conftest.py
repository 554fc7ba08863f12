"""A worker inside the test, turned by hand, with jobs that need no JAX."""

import time
from collections.abc import Callable, Iterator

import pytest

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment, from_paths
from pcviz.settings import Settings
from pcviz.store import Store
from tests.engine.fake_jobs import JOBS


def experiment(steps: int = 50, seed: int = 0) -> Experiment:
    """What a fake job needs to know."""
    return from_paths({"learning.steps": steps, "seed": seed})


@pytest.fixture
def client(database_url: str) -> Iterator[Client]:
    client = Client(Store(database_url))
    yield client
    client.store.close()


@pytest.fixture
def worker(client: Client) -> Worker:
    return Worker(client.store, Settings(), lambda: JOBS)


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
