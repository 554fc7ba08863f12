"""Data sets that come with pcviz: nothing is downloaded. What is known of them is in `pcviz.experiment.DATASETS`."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pcviz.data.dataset import Dataset
from pcviz.data.digits import digits
from pcviz.data.regression import regression
from pcviz.data.toys import TOYS, toy
from pcviz.experiment import Data

__all__ = ["LOADERS", "Dataset", "load"]

Loader = Callable[[int, int], Dataset]
"""(number of training examples, number of test examples) → float64 arrays."""

LOADERS: dict[str, Loader] = {
    "digits": digits,
    **{name: partial(toy, name) for name in TOYS},
    "regression": regression,
}


def load(data: Data, seed: int, dtype: str) -> Dataset:
    """The data set that `data` chooses, as arrays of `dtype` ("float32" or "float64").

    A smaller data set is the beginning of a larger one. `seed` is for data sets that draw their examples from the
    experiment's seed; those that are here now are the same for every seed, so that seeds vary the network and the order
    of the examples.
    """
    full = LOADERS[data.name](data.train_count, data.test_count)
    x_train, y_train, x_test, y_test = (
        np.asarray(array, dtype=dtype) for array in (full.x_train, full.y_train, full.x_test, full.y_test)
    )
    return Dataset(x_train, y_train, x_test, y_test, full.task)
