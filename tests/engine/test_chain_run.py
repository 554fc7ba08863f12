"""A run of kind "chain" from the client's wish to its stored frames."""

import numpy as np

from pcviz.engine.client import Client
from pcviz.engine.worker import Worker
from pcviz.experiment import Experiment
from pcviz.instruments.chain.options import Options
from pcviz.instruments.jobs import JOBS
from pcviz.settings import Settings
from tests.engine.conftest import turn_until

OPTIONS = Options(hidden=2, cap=2000)


def test_chains_race_in_the_worker(client: Client) -> None:
    worker = Worker(client.store, Settings(), lambda: JOBS)
    run = client.look("chain", Experiment(), OPTIONS.stored(), "s")
    turn_until(worker, lambda: client.get(run).ended)
    record, frame = client.get(run), client.last_frame(run)
    assert (record.kind, record.state, record.step, record.steps) == ("chain", "done", 100, 100)
    assert Options.model_validate(record.options) == OPTIONS
    assert frame is not None and frame.kind == "chain"
    median = np.asarray(frame.values["race_median"])
    np.testing.assert_array_equal(median[:3], [[12, 9, 8], [181, 31, 26], [1145, 108, 81]])
    assert "chain_energy" in frame.values


def test_a_race_can_be_cancelled(client: Client) -> None:
    worker = Worker(client.store, Settings(), lambda: JOBS)
    run = client.look("chain", Experiment(), Options(hidden=5, cap=1_000_000).stored(), "s")
    turn_until(worker, lambda: client.get(run).step > 0)
    client.cancel(run)
    turn_until(worker, lambda: client.get(run).ended)
    record = client.get(run)
    assert record.state == "cancelled" and 0 < record.step < 100
