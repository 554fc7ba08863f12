"""The random regression of arXiv 2602.07697, Fig. 2."""

import numpy as np

from pcviz.data.dataset import Dataset
from pcviz.data.provider import Provider
from pcviz.experiment import DATASETS


def regression(train_count: int, test_count: int) -> Dataset:
    """`train_count` inputs from N(0, 1), not standardised; target +1 for the first half of them, -1 for the others.

    The targets are independent of the inputs, so that there is nothing to generalise to: the test set is the
    training set, whatever `test_count` says.
    """
    facts = DATASETS["regression"]
    x = np.random.default_rng(0).standard_normal((facts.train_max, facts.input_dim))[:train_count]
    y = np.where(np.arange(train_count) < (train_count + 1) // 2, 1.0, -1.0)[:, None]
    return Dataset(x, y, x, y, "regression")


PROVIDERS = {"regression": Provider(DATASETS["regression"], regression)}
