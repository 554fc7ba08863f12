"""Handwritten digits: 1797 images of 8 × 8 pixels (E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits,
UCI, 1998, CC BY 4.0), those of scikit-learn. They lie beside this file because scikit-learn takes as long to import as
JAX does."""

from pathlib import Path

import numpy as np

from pcviz.data.dataset import Dataset, classification
from pcviz.data.provider import Provider
from pcviz.experiment import DATASETS

FILE = Path(__file__).with_suffix(".npz")
"""Brightness 0 … 16 of the pixels, (1797, 64), and classes (1797,): the images for training, then those for testing, as
scikit-learn's stratified `train_test_split` with random state 0 divides them."""


def digits(train_count: int, test_count: int) -> Dataset:
    """The first `train_count` of 1437 and `test_count` of 360 images; the split is stratified and always the same."""
    facts = DATASETS["digits"]
    with np.load(FILE) as stored:
        images, labels = stored["images"].astype(np.float64), stored["labels"].astype(np.int64)
    train, test = slice(facts.train_max), slice(facts.train_max, None)
    return classification(facts, (images[train], labels[train]), (images[test], labels[test]), train_count, test_count)


PROVIDERS = {"digits": Provider(DATASETS["digits"], digits)}
