"""A worker in a process of its own trains on data that it never saw except through the store."""

from collections.abc import Iterator

import numpy as np
import pytest

from pcviz.data import hold, own
from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import Experiment, from_paths
from pcviz.settings import Settings
from tests.engine.conftest import wait_until
from tests.engine.real_history import assert_as_undisturbed


@pytest.fixture
def supervisor(client: Client, database_url: str) -> Iterator[Supervisor]:
    supervisor = Supervisor(Settings(database=database_url), client.store)
    supervisor.start()
    yield supervisor
    supervisor.stop()


def experiment(seed: int) -> Experiment:
    """A small training on data that this process holds."""
    x = np.random.default_rng(seed).normal(size=(96, 5))
    y = (x[:, 0] > x[:, 1]).astype(int)
    name = hold(x[:64], y[:64], x[64:], y[64:])
    return from_paths(
        {"data.name": name, "network.depth": 3, "network.width": 8, "learning.steps": 20, "learning.batch_size": 16}
    )


def test_a_worker_takes_data_from_the_store(client: Client, supervisor: Supervisor) -> None:
    held, lacking = experiment(0), experiment(1)
    client.store.requests.keep_dataset(held.data.name, own.packed(held.data.name))
    client.store.requests.keep_dataset(lacking.data.name, own.packed(held.data.name))
    run, wrong, unknown = (
        client.start(one, "s")
        for one in (held, lacking, held.changed({"data.name": "own-0123456789ab-regression-3-1-100-50"}))
    )
    wait_until(lambda: all(client.get(one).ended for one in (run, wrong, unknown)), 120)
    assert client.get(run).state == "done", client.get(run).message
    assert_as_undisturbed(client, run, held)
    for one, words in ((wrong, "is something else"), (unknown, "is not held here: add its file to this store")):
        record = client.get(one)
        assert (record.state, record.step) == ("failed", 0)
        assert record.message.startswith("LookupError: data.name: ") and words in record.message
