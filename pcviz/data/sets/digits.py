"""Handwritten digits: the 1797 images of 8 × 8 pixels that come with scikit-learn."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from pcviz.data.dataset import Dataset, classification
from pcviz.data.provider import Provider
from pcviz.experiment import DATASETS


def digits(train_count: int, test_count: int) -> Dataset:
    """The first `train_count` of 1437 and `test_count` of 360 images; the split is stratified and always the same."""
    facts = DATASETS["digits"]
    images, labels = load_digits(return_X_y=True)
    x_train, x_test, labels_train, labels_test = train_test_split(
        images, labels, test_size=facts.test_max, stratify=labels, random_state=0
    )
    return classification(facts, (x_train, labels_train), (x_test, labels_test), train_count, test_count)


PROVIDERS = {"digits": Provider(DATASETS["digits"], digits)}
