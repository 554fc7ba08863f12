"""What simple learners make of a data set: a network that does not beat them has not shown that its depth learns."""

from typing import NamedTuple

import numpy as np

from pcviz.brief import short
from pcviz.data.dataset import Array, Dataset

PENALTIES = 10.0 ** np.arange(-3, 5)
"""Of ridge regression: the one with the least leave-one-out error is used."""
NEIGHBOURS = 5
MOST = 5000
"""Most examples that a baseline learns from."""


@short
class Baseline(NamedTuple):
    """How a simple learner does on the test set: mean loss (half the squared error, summed over targets), and accuracy
    (NaN where there are no classes)."""

    loss: float
    accuracy: float


def chance(data: Dataset) -> Baseline:
    """Always the mean target, which for classes is the most frequent one."""
    return _judged(data, np.broadcast_to(data.y_train.mean(0), data.y_test.shape))


def linear(data: Dataset, train: Array | None = None, test: Array | None = None) -> Baseline:
    """Ridge regression with an intercept, on the inputs or on other features of the examples, (P, F) and (Q, F)."""
    train, test = (data.x_train if train is None else train), (data.x_test if test is None else test)
    from sklearn.linear_model import RidgeCV  # takes a second, in which a network trains

    finite = np.isfinite(train).all() and np.isfinite(test).all()
    if not finite:
        return Baseline(float("nan"), float("nan"))
    fitted = RidgeCV(PENALTIES).fit(train[:MOST].astype(np.float64), data.y_train[:MOST].astype(np.float64))
    return _judged(data, fitted.predict(test.astype(np.float64)).reshape(data.y_test.shape))


def neighbours(data: Dataset) -> Baseline:
    """The mean target of the nearest training examples."""
    from sklearn.neighbors import KNeighborsRegressor

    count = min(NEIGHBOURS, len(data.x_train[:MOST]))
    fitted = KNeighborsRegressor(count).fit(data.x_train[:MOST], data.y_train[:MOST])
    return _judged(data, fitted.predict(data.x_test).reshape(data.y_test.shape))


def _judged(data: Dataset, predicted: Array) -> Baseline:
    loss = 0.5 * float(np.mean(np.sum((data.y_test - predicted) ** 2, axis=1)))
    if data.task == "regression":
        return Baseline(loss, float("nan"))
    return Baseline(loss, float(np.mean(predicted.argmax(1) == data.y_test.argmax(1))))
