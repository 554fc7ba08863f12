"""Which examples make up a batch, as a function of its index: a resumed run replays exactly."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.integer[Any]]

PURPOSE = 1
"""Keeps the order of the data independent of whatever else is drawn from the experiment's seed."""


def steps_per_epoch(train_size: int, batch_size: int) -> int:
    """Number of whole batches in the training set; the incomplete last one is dropped.

    Raises ValueError if the training set is smaller than one batch.
    """
    if not 1 <= batch_size <= train_size:
        raise ValueError(f"learning.batch_size: {batch_size} is not between 1 and {train_size}, the training examples")
    return train_size // batch_size


def batch_indices(seed: int, step: int, train_size: int, batch_size: int) -> Indices:
    """(B,) distinct rows of the training set that make up the batch of `step` = 0, 1, …; read-only.

    Each epoch goes through a permutation of its own. Raises ValueError if the training set is smaller than one batch.
    """
    epoch, batch = divmod(step, steps_per_epoch(train_size, batch_size))
    return _permutation(seed, epoch, train_size)[batch * batch_size : (batch + 1) * batch_size]


@lru_cache(maxsize=64)
def _permutation(seed: int, epoch: int, train_size: int) -> Indices:
    order = np.random.default_rng([seed, PURPOSE, epoch]).permutation(train_size)
    order.flags.writeable = False
    return order
