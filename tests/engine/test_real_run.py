"""A real network trained by a worker that is killed at random moments: nothing of it shows in what is stored."""

import os
import random
import signal
import time

import pytest

from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import from_paths
from pcviz.settings import Settings
from tests.engine.conftest import wait_until
from tests.engine.real_history import assert_as_undisturbed

RUN = {"network.depth": 6, "network.width": 64, "learning.batch_size": 128}


def survive(client: Client, database_url: str, kills: int, steps: int, seed: int) -> None:
    experiment, chance = from_paths({**RUN, "learning.steps": steps}), random.Random(seed)
    supervisor = Supervisor(Settings(database=database_url), client.store)
    supervisor.start()
    try:
        run = client.start(experiment, "s")
        for _ in range(kills):
            seen = client.get(run).seq
            wait_until(lambda seen=seen: client.get(run).seq > seen, 60)
            time.sleep(chance.uniform(0, 0.5))
            assert not client.get(run).ended, "the run was too short to be killed"
            assert supervisor.process is not None
            process = supervisor.process
            os.kill(process.pid, signal.SIGKILL)
            wait_until(lambda process=process: supervisor.process is not process, 30)
        wait_until(lambda: client.get(run).ended, 120)
    finally:
        supervisor.stop()
    record = client.get(run)
    assert record.state == "done" and record.restarts == kills
    assert "The worker was restarted; resumed from step " in record.message
    assert_as_undisturbed(client, run, experiment)


def test_real_training_survives_a_kill_bitwise(client: Client, database_url: str) -> None:
    survive(client, database_url, kills=1, steps=800, seed=0)


@pytest.mark.slow
def test_real_training_survives_ten_kills_bitwise(client: Client, database_url: str) -> None:
    survive(client, database_url, kills=10, steps=12_000, seed=1)
