"""The provider of a data set: its facts, which need no loading, and its arrays."""

from collections.abc import Callable
from dataclasses import dataclass

from pcviz.data.dataset import Dataset
from pcviz.experiment import DatasetFacts


@dataclass(frozen=True)
class Provider:
    """A data set that can be loaded."""

    facts: DatasetFacts
    arrays: Callable[[int, int], Dataset]
    """(number of training examples, number of test examples) → the first of them, float64."""
