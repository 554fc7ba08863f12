"""What a run's history should be, whoever ran it."""

from collections.abc import Callable

import numpy as np

from pcviz.engine.client import Client
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
    history, reference = client.frames(run, ["energy"]), undisturbed(steps, seed)
    assert history["seq"].tolist() == list(range(1, len(history["seq"]) + 1))
    assert np.all(np.diff(history["step"]) > 0) and history["step"][-1] == steps
    for step, energy in zip(history["step"], history["energy"], strict=True):
        np.testing.assert_array_equal(energy, reference[step])
    step, arrays = client.weights(run) or (0, {})
    assert step == steps
    np.testing.assert_array_equal(arrays["state"][:8], reference[steps])
