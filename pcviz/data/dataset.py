"""The form of every data set."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pcviz.brief import short
from pcviz.experiment import DatasetFacts

Array = NDArray[np.floating[Any]]

Labelled = tuple[Array, NDArray[np.integer[Any]]]
"""Features (P, D) and classes 0 … K - 1 (P,)."""


@dataclass(frozen=True)
@short
class Dataset:
    """Examples as rows: P training and Q test examples with D features and K targets."""

    x_train: Array
    """(P, D) features."""
    y_train: Array
    """(P, K) one-hot classes, or the targets of a regression."""
    x_test: Array
    """(Q, D) features."""
    y_test: Array
    """(Q, K) as `y_train`."""
    task: Literal["classification", "regression"]

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """The four arrays, in the order above."""
        return self.x_train, self.y_train, self.x_test, self.y_test

    @cached_property
    def ranges(self) -> tuple[Array, Array]:
        """The least and the greatest value of each feature (D,) in training."""
        return self.x_train.min(0), self.x_train.max(0)

    def shades(self, x: Array) -> NDArray[np.uint8]:
        """The place (…, D) of each feature of x (…, D) between its least (0) and its greatest (255) value in training:
        an image as it was before it was standardised. Features that are constant in training are 0 there."""
        least, greatest = self.ranges
        span = np.where(greatest > least, greatest - least, 1)
        return np.clip(np.round(255 * (x - least) / span), 0, 255).astype(np.uint8)

    @property
    def content(self) -> str:
        """SHA-256 of task, shapes and values (as float64), in hexadecimal digits: the identity of the data."""
        digest = hashlib.sha256(self.task.encode())
        for array in self.arrays:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array, "<f8").tobytes())
        return digest.hexdigest()


def classification(facts: DatasetFacts, train: Labelled, test: Labelled, train_count: int, test_count: int) -> Dataset:
    """The first examples of `train` and `test`, with standardised features (x - mean) / (std + 1e-6), one-hot classes.

    Mean and deviation are those of the first `facts.train_size` training examples, however many of them are used. A
    feature that is constant there is only centred: one grey level in a pixel that no training image uses would
    otherwise become 10⁶ in a test image, and the test loss nothing but that pixel.
    """
    usual = train[0][: facts.train_size]
    mean, deviation = usual.mean(axis=0), usual.std(axis=0)
    deviation = np.where(deviation > 0, deviation + 1e-6, 1.0)
    one_hot = np.eye(facts.output_dim)
    (x_train, labels_train), (x_test, labels_test) = train, test
    return Dataset(
        x_train=(x_train[:train_count] - mean) / deviation,
        y_train=one_hot[labels_train[:train_count]],
        x_test=(x_test[:test_count] - mean) / deviation,
        y_test=one_hot[labels_test[:test_count]],
        task="classification",
    )
