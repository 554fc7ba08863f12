"""What a run's history should be, whoever ran it."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pcviz.engine.client import Client
from pcviz.jobs.history import History, history
from tests.engine.conftest import experiment
from tests.engine.fake_jobs import FakeTrain


def state_is(client: Client, run: str, *states: str) -> Callable[[], bool]:
    return lambda: client.get(run).state in states


def undisturbed(steps: int, seed: int = 0) -> list[np.ndarray]:
    """The energies after each step of a run that nobody touches."""
    job = FakeTrain(experiment(steps, seed))
    found = [job.frame(bulk=False).values["energy"]]
    while not job.done:
        job.advance(job.step + 1, 60.0)
        found.append(job.frame(bulk=False).values["energy"])
    return found  # type: ignore[return-value]


def assert_history_is_whole(client: Client, run: str, steps: int, seed: int = 0) -> None:
    """seq 1 … n, steps strictly increasing up to the last, every value that of an undisturbed run."""
    found, reference = client.frames(run, ["energy"]), undisturbed(steps, seed)
    assert found["seq"].tolist() == list(range(1, len(found["seq"]) + 1))
    assert np.all(np.diff(found["step"]) > 0) and found["step"][-1] == steps
    for step, energy in zip(found["step"], found["energy"], strict=True):
        np.testing.assert_array_equal(energy, reference[step])
    table = history_of(client, run)
    assert table.step.tolist() == History(steps, 10).rows.tolist()
    np.testing.assert_array_equal(table.train_loss, [reference[step][0] for step in table.step])
    step, arrays = client.weights(run) or (0, {})
    assert step == steps
    np.testing.assert_array_equal(arrays["state"][:8], reference[steps])


def history_of(client: Client, run: str) -> pd.DataFrame:
    """The history by weight step as the store has it."""
    stored = client.store.reader.frames(run, client.get(run).generation, bulk=False)
    return history(item.frame() for item in stored)
