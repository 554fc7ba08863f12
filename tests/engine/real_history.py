"""What the history of a real training should be, whatever happened to its worker."""

import numpy as np

from pcviz.engine.client import Client
from pcviz.experiment import Experiment
from pcviz.jobs.training import Training


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


def assert_as_undisturbed(client: Client, run: str, experiment: Experiment) -> None:
    """seq without gaps; losses and energies of every frame, and the last weights, bitwise."""
    expected, weights = undisturbed(experiment)
    stored, steps = client.frames(run, ["train_loss", "energy"]), experiment.learning.steps
    step = np.asarray(stored["step"], int)
    assert list(stored["seq"]) == list(range(1, len(step) + 1))
    assert (np.diff(step) > 0).all() and step[-1] == steps and (np.diff(stored["seconds"]) >= 0).all()
    for first, last, loss, energy in zip([0, *step], step, stored["train_loss"], stored["energy"], strict=False):
        window = expected["train_loss"][first:last]
        assert list(loss) == [window[-1], window.min(), window.max()]
        np.testing.assert_array_equal(energy, expected["energy"][last - 1])
    saved = client.weights(run)
    assert saved is not None and saved[0] == steps
    for name in weights.keys() - {"seconds"}:
        np.testing.assert_array_equal(saved[1][name], weights[name])
    print("frames", len(step), "all equal")
