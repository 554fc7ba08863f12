"""What the history of a real training should be, whatever happened to its worker."""

import numpy as np
import pandas as pd

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.jobs.history import history
from pcviz.jobs.training import Training
from tests.engine.history import history_of


def undisturbed(experiment: Experiment) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The history, frame by frame of a single step each, and the final checkpoint, without a worker."""
    training = Training(experiment)
    training.prepare()
    frames = []
    while not training.done:
        training.advance(training.step + 1, 10.0)
        frames.append(training.frame(bulk=False))
    return history(frames), training.checkpoint()


def assert_as_undisturbed(client: Client, run: str, experiment: Experiment) -> None:
    """seq without gaps; the history but for its times, and the last weights, bitwise."""
    expected, weights = undisturbed(experiment)
    stored, steps = client.frames(run, []), experiment.learning.steps
    step = np.asarray(stored["step"], int)
    assert list(stored["seq"]) == list(range(1, len(step) + 1))
    assert (np.diff(step) > 0).all() and step[-1] == steps and (np.diff(stored["seconds"]) >= 0).all()
    found = history_of(client, run)
    assert (np.diff(found.seconds) >= 0).all()
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True)
    saved = client.weights(run)
    assert saved is not None and saved[0] == steps
    for name in weights.keys() - {"seconds"}:
        np.testing.assert_array_equal(saved[1][name], weights[name])
    print("frames", len(step), "all equal")
