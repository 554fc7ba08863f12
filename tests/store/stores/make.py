"""Makes a small store with a run of every kind and in every state, by the code as it is now.

    python -m tests.store.stores.make tests/store/stores/3.db

Each version of the store has its file here, named after it, made before the next version changed anything; tests prove
that all later code opens it.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment, from_paths
from pcviz.settings import Settings
from pcviz.store import RunRecord, Store

SMALL = {
    "network.depth": 4,
    "network.width": 5,
    "network.activation": "tanh",
    "data.name": "moons",
    "data.train_size": 64,
    "data.test_size": 32,
    "learning.batch_size": 16,
    "learning.steps": 8,
}
DIVERGING = {"network.activation": "linear", "learning.optimiser": "sgd", "learning.learning_rate": 100.0}
LONG = {"learning.steps": 100_000}


def make(path: Path) -> dict[str, str]:
    """Fill a new store at `path`; returns the id of a run for each kind and each state."""
    store = Store(f"sqlite:///{path}")
    client, worker = Client(store), Worker(store, Settings())
    found: dict[str, str] = {}

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 300
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            if not worker.turn():
                time.sleep(0.01)

    def start(changes: dict[str, object], **requests: object) -> str:
        return client.start(small(changes), "session", "owner", **requests)  # type: ignore[arg-type]

    def get(name: str) -> RunRecord:
        return client.get(found[name])

    def in_state(name: str, state: str) -> Callable[[], bool]:
        return lambda: get(name).state == state

    found["done"] = found["train"] = start({})
    for kind, options in (("training_plane", {"directions": "random"}), ("boundary", {})):
        found[kind] = client.add_child(found["train"], kind, options)
    until(lambda: all(get(name).ended for name in ("train", "training_plane", "boundary")))
    for kind, options in (
        ("relax", {"solvers": ["gradient_descent", "error_based"], "budget": 200}),
        ("plane", {"size": 11, "examples": 4}),
        ("chain", {"seeds": 1, "cap": 100}),
        ("curvature", {"examples": 2}),
    ):
        found[kind] = client.look(kind, small({}), options, "session", "owner")
        until(in_state(kind, "done"))
    found["walk"] = client.add_child(found["plane"], "walk", {"x": 0.1, "y": 0.2})
    until(lambda: get("walk").ended)
    client.pin(found["train"])

    found["diverged"] = start(DIVERGING)
    until(in_state("diverged", "diverged"))
    found["failed"] = client.look("curvature", small({}), {"examples": 2, "source": "0" * 32}, "session", "owner")
    until(in_state("failed", "failed"))
    found["cancelled"] = start(LONG)
    until(lambda: get("cancelled").step > 0)
    client.cancel(found["cancelled"])
    until(lambda: get("cancelled").ended and get("cancelled").worker is None)
    found["paused"] = start(LONG, allowed_until_step=5)
    until(in_state("paused", "paused"))
    found["running"] = start(LONG)
    until(lambda: get("running").state == "running" and get("running").step > 0)
    found["compiling"] = start({"network.width": 6})
    until(in_state("compiling", "compiling"))
    # The worker dies here: what it holds stays as it is.
    found["queued"] = start({"network.width": 7})
    worker._observations.close()
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("VACUUM")
    connection.close()
    return found


def small(changes: dict[str, object]) -> Experiment:
    """A network that takes little room, with changes (field path -> value)."""
    return from_paths({**SMALL, **changes})


if __name__ == "__main__":
    for name, run in make(Path(sys.argv[1])).items():
        print(f"{name}: {run}")
