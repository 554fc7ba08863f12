"""The predictions' work: the feedforward pass of the parent's network over the test set and the latest batch."""

from collections.abc import Iterator

import jax
import numpy as np

from pcviz.data import Dataset
from pcviz.data.batches import batch_indices
from pcviz.data.dataset import Array
from pcviz.frames import Value
from pcviz.instruments.predictions.options import CLASSES, INPUTS, PIECE, POINTS, Options
from pcviz.jobs.follower import Follower
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work, finish
from pcviz.pcn import Network, build
from pcviz.pcn.feedforward import forward


class Predictions(Follower):
    """A child of a training: what its network says about the data, whenever the training has advanced.

    Raises ValueError for options that do not fit.
    """

    KIND = "predictions"

    def _begin(self) -> None:
        super()._begin()
        chosen = Options.model_validate(self.options)
        self.most = chosen.examples
        self._stand(chosen.at)

    def prepare(self) -> None:
        """Compile."""
        super().prepare()
        experiment = self.experiment
        facts, counts = experiment.data.facts, {min(PIECE, experiment.data.test_count)}
        if facts.task == "classification":
            counts.add(min(self.most, experiment.learning.batch_size))
        network = build(experiment, facts.input_dim, facts.output_dim)
        for count in counts:
            finish(outputs(network, np.zeros((count, facts.input_dim), experiment.dtype)))

    def _work(self) -> Iterator[object]:
        """The answers of the weights that are shown."""
        training = yield from self._weights()
        step, network, data = training.step, training.network, training.data
        output = yield from outputs(network, data.x_test)
        if not np.isfinite(output).all():
            return
        if data.task == "regression":
            self._found = pairs(data.y_test, output)
            return
        batch = self._batch(step)
        said = (yield from outputs(network, data.x_train[batch])) if len(batch) else np.zeros((0, output.shape[1]))
        self._found = answers(data, output, batch, said, self.most)
        if self.experiment.data.facts.planar:
            self._found |= points(data, output)

    def _batch(self, step: int) -> np.ndarray:
        """The first examples of the batch that led to `step`, by their places in the training set; none at step 0."""
        if step == 0:
            return np.zeros(0, np.int32)
        size = self.experiment.learning.batch_size
        return batch_indices(self.experiment.seed, step - 1, self.experiment.data.train_count, size)[: self.most]


@compiled()
def _output(network: Network, x: jax.Array) -> jax.Array:
    return forward(network, x)[1]


def outputs(network: Network, x: Array) -> Work[Array]:
    """Outputs (P, K) of the feedforward pass for inputs x (P, D), a piece at a time. The last piece begins early, so
    that all have one shape, and with it one program."""
    size, made = min(PIECE, len(x)), []
    for first in range(0, len(x), size):
        begin = min(first, len(x) - size)
        made.append(np.asarray(_output(network, x[begin : begin + size]))[first - begin :])
        yield
    return np.concatenate(made)


def answers(data: Dataset, output: Array, batch: np.ndarray, said: Array, most: int) -> dict[str, Value]:
    """The channels of a classification from the outputs (Q, K) for the test set, and those for the batch."""
    true, predicted = data.y_test.argmax(1), output.argmax(1)
    margin = output.max(1) - output[np.arange(len(output)), true]
    wrong = np.flatnonzero(predicted != true)
    worst = wrong[np.argsort(-margin[wrong], kind="stable")][:most]
    first = np.arange(min(most, len(true)))
    values: dict[str, Value] = {
        "mistakes": float(len(wrong)),
        "tested": float(len(true)),
        "mistake_margin": margin[worst].astype(np.float64),
        **row("mistake", worst, data.y_test, output[worst]),
        **row("batch", batch, data.y_train, said),
        **row("sample", first, data.y_test, output[first]),
    }
    if data.x_train.shape[1] <= INPUTS:
        shown = {"mistake": data.x_test[worst], "batch": data.x_train[batch], "sample": data.x_test[first]}
        values |= {f"{name}_shade": data.shades(x) for name, x in shown.items()}
    if (classes := output.shape[1]) <= CLASSES:
        values["confusion"] = np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return values


def row(name: str, places: np.ndarray, y: Array, output: Array) -> dict[str, Value]:
    """The channels of some examples, by their places among those with classes y (P, K), and their outputs."""
    return {
        f"{name}_place": places,
        f"{name}_class": y[places].argmax(1),
        f"{name}_predicted": output.argmax(1),
    }


def points(data: Dataset, output: Array) -> dict[str, Value]:
    """The channels of test examples in the plane."""
    shown = slice(POINTS)
    predicted, true = output[shown].argmax(1), data.y_test[shown].argmax(1)
    x, y = data.x_test[shown].T
    return {"tested_x": x, "tested_y": y, "tested_label": predicted + 1, "tested_wrong": predicted != true}


def pairs(targets: Array, output: Array) -> dict[str, Value]:
    """The channels of a regression."""
    return {"tested_target": targets[:POINTS, 0], "tested_output": output[:POINTS, 0]}


JOBS = {"predictions": Predictions}
