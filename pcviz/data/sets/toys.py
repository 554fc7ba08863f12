"""Classification problems in the plane, with two classes."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pcviz.data.dataset import Array, Dataset, Labelled, classification
from pcviz.data.provider import Provider
from pcviz.experiment import DATASETS

Draw = Callable[[int, int], Labelled]
"""(even number of points P, random state) → positions (P, 2) and classes 0 or 1 (P,), half of each."""


def _drawn(kind: str, size: int, **options: Any) -> Labelled:
    """Points of a generator of scikit-learn, which is imported only where one is needed: that takes a second."""
    points, classes = getattr(import_module("sklearn.datasets"), f"make_{kind}")(size, **options)
    return points, classes


def moons(size: int, random_state: int) -> Labelled:
    """Two interleaved half circles."""
    return _drawn("moons", size, noise=0.1, random_state=random_state)


def circles(size: int, random_state: int) -> Labelled:
    """A circle inside another of twice its radius."""
    return _drawn("circles", size, noise=0.1, factor=0.5, random_state=random_state)


def xor(size: int, random_state: int) -> Labelled:
    """Four clouds at the corners of a square; opposite corners share a class."""
    corners = [(-1, -1), (1, 1), (-1, 1), (1, -1)]
    points, corner = _drawn("blobs", size, centers=corners, cluster_std=0.35, random_state=random_state)
    return points, corner // 2


def spiral(size: int, random_state: int) -> Labelled:
    """Two intertwined spirals of one and a half turns."""
    rng = np.random.default_rng(random_state)
    labels = np.arange(size) % 2
    # The root spreads the points evenly along the curve: an arm is about as long as its angle squared.
    angle = 3 * np.pi * np.sqrt(rng.random(size))
    turned = angle + np.pi * labels
    points = angle[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=1)
    return points + rng.normal(scale=0.35, size=points.shape), labels


def gaussians(size: int, random_state: int) -> Labelled:
    """Two Gaussian clouds that overlap: the best classifier errs on 8 % of the points."""
    return _drawn("blobs", size, centers=[(-1, -1), (1, 1)], cluster_std=1.0, random_state=random_state)


TOYS: dict[str, Draw] = {draw.__name__: draw for draw in (moons, circles, xor, spiral, gaussians)}


def toy(name: str, train_count: int, test_count: int) -> Dataset:
    """The first `train_count` and `test_count` points of two independent draws, which are always the same."""
    facts, draw = DATASETS[name], TOYS[name]
    train, test = _alternating(*draw(facts.train_max, 0)), _alternating(*draw(facts.test_max, 1))
    return classification(facts, train, test, train_count, test_count)


def _alternating(points: Array, labels: NDArray[np.integer[Any]]) -> Labelled:
    """The same points in an order in which the classes alternate, so that any number of them is balanced."""
    order = np.stack([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)], axis=1).ravel()
    return points[order], labels[order]


PROVIDERS = {name: Provider(DATASETS[name], partial(toy, name)) for name in TOYS}
