"""A real network trained by a worker that is killed at random moments: nothing of it shows in what is stored."""

import os
import random
import signal
import time

import numpy as np
import pytest

from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import Experiment, from_paths
from pcviz.jobs import Training
from pcviz.settings import Settings
from tests.engine.conftest import wait_until

RUN = {"network.depth": 6, "network.width": 64, "learning.batch_size": 128}


def undisturbed(experiment: Experiment) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Loss and energies of every single step, and the final checkpoint, without a worker."""
    training = Training(experiment)
    training.prepare()
    losses, energies = [], []
    while not training.done:
        training.advance(training.step + 1, 10.0)
        values = training.frame(bulk=False).values
        losses.append(values["train_loss"][0])
        energies.append(values["energy"])
    return {"train_loss": np.array(losses), "energy": np.array(energies)}, training.checkpoint()


def survive(client: Client, database_url: str, kills: int, steps: int, seed: int) -> None:
    experiment, chance = from_paths({**RUN, "learning.steps": steps}), random.Random(seed)
    expected, weights = undisturbed(experiment)
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
    stored = client.frames(run, ["train_loss", "energy"])
    step = np.asarray(stored["step"], int)
    assert list(stored["seq"]) == list(range(1, len(step) + 1))
    assert (np.diff(step) > 0).all() and step[-1] == steps
    for first, last, loss, energy in zip([0, *step], step, stored["train_loss"], stored["energy"], strict=False):
        window = expected["train_loss"][first:last]
        assert list(loss) == [window[-1], window.min(), window.max()]
        np.testing.assert_array_equal(energy, expected["energy"][last - 1])
    saved = client.weights(run)
    assert saved is not None and saved[0] == steps
    for name in (name for name in weights if name.startswith("leaf_")):
        np.testing.assert_array_equal(saved[1][name], weights[name])


def test_real_training_survives_three_kills_bitwise(client: Client, database_url: str) -> None:
    survive(client, database_url, kills=3, steps=3000, seed=0)


@pytest.mark.slow
def test_real_training_survives_ten_kills_bitwise(client: Client, database_url: str) -> None:
    survive(client, database_url, kills=10, steps=12_000, seed=1)
