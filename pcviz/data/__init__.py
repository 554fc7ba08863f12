"""Data sets: those that come with pcviz, without any download, and user data sets. The facts about them that need no
arrays are in `pcviz.experiment`."""

import numpy as np

from pcviz.data.dataset import Dataset
from pcviz.data.own import HELD, hold
from pcviz.data.provider import Provider
from pcviz.data.sets import PROVIDERS
from pcviz.experiment import Data

__all__ = ["PROVIDERS", "Dataset", "Provider", "hold", "load", "provider_of"]


def load(data: Data, seed: int, dtype: str) -> Dataset:
    """The data set that `data` chooses, as arrays of `dtype` ("float32" or "float64"). Raises as `provider_of`.

    A smaller data set is the beginning of a larger one. `seed` is for data sets that draw their examples from the
    experiment's seed; the present ones are the same for every seed, so that seeds vary only the network and the order
    of the examples.
    """
    full = provider_of(data.name).arrays(data.train_count, data.test_count)
    x_train, y_train, x_test, y_test = (np.asarray(array, dtype=dtype) for array in full.arrays)
    return Dataset(x_train, y_train, x_test, y_test, full.task)


def provider_of(name: str) -> Provider:
    """The provider of a data set. Raises LookupError for a user data set that this process does not hold."""
    provider = PROVIDERS.get(name) or HELD.get(name)
    if provider is None:
        raise LookupError(
            f"data.name: {name} is not held here: add its file to this store (python -m pcviz data add FILE.npz), or "
            "in Python hold its arrays (pcviz.data.hold)"
        )
    return provider
