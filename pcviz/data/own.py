"""User data sets: arrays, held under a name that describes them (`pcviz.experiment.data.own_name`)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcviz.data.dataset import Dataset
from pcviz.data.provider import Provider
from pcviz.experiment import facts_of
from pcviz.experiment.data import own_name
from pcviz.experiment.faults import shown

HELD: dict[str, Provider] = {}
"""The data sets that this process holds, by name."""
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
MOST_NUMBERS = 100_000_000
"""Most numbers in all four arrays together: 800 MB, below the longest value that a store takes."""


def hold(x_train: ArrayLike, y_train: ArrayLike, x_test: ArrayLike, y_test: ArrayLike) -> str:
    """Hold a data set in this process; returns its name, which experiments take as `data.name`.

    Features (P, D) and (Q, D) are taken as they are, not standardised. Targets are classes 0 … K - 1, whole numbers
    (P,) or one-hot rows (P, K), or those of a regression, (P,) or (P, K). Raises ValueError, in one line.
    """
    dataset = _checked(*(np.asarray(array) for array in (x_train, y_train, x_test, y_test)))
    (train, inputs), (test, outputs) = dataset.x_train.shape, dataset.y_test.shape
    name = own_name(dataset.content, dataset.task, inputs, outputs, train, test)

    def first(train_count: int, test_count: int) -> Dataset:
        x, y, x_test, y_test = dataset.arrays
        return Dataset(x[:train_count], y[:train_count], x_test[:test_count], y_test[:test_count], dataset.task)

    HELD[name] = Provider(facts_of(name), first)
    return name


def hold_file(file: Path | bytes) -> str:
    """`hold` for an .npz file, or its bytes, with arrays named as in ARRAYS. Raises ValueError, in one line."""
    try:
        content = file if isinstance(file, bytes) else file.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in ARRAYS}
    except Exception as error:  # whatever goes wrong, the file is at fault
        reason = " ".join(str(error).split())
        raise ValueError(f"is no .npz file with the arrays {', '.join(ARRAYS)} ({reason})") from error
    return hold(**arrays)


def packed(name: str) -> bytes:
    """A data set that this process holds, as the bytes of an .npz file that `hold_file` reads back."""
    facts, buffer = HELD[name].facts, io.BytesIO()
    arrays: Any = dict(zip(ARRAYS, HELD[name].arrays(facts.train_size, facts.test_size).arrays, strict=True))
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _checked(*arrays: NDArray[Any]) -> Dataset:
    found = dict(zip(ARRAYS, arrays, strict=True))
    labelled = all(found[name].ndim == 1 and found[name].dtype.kind in "biu" for name in ("y_train", "y_test"))
    for name, array in found.items():
        shapes = {2: "(examples, features)"} if name[0] == "x" else {1: "(examples,)", 2: "(examples, targets)"}
        if array.ndim not in shapes or not array.size:
            raise ValueError(
                f"{name}: the shape is {array.shape} (allowed: {' or '.join(shapes.values())}, none empty)"
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name}: holds values of the type {array.dtype} (allowed: whole numbers and floats)")
        found[name] = numbers = np.asarray(array, np.float64) + 0.0  # a copy, in which no zero has a sign
        for place in np.argwhere(~np.isfinite(numbers))[:1].tolist():
            raise ValueError(f"{name}: {numbers[tuple(place)]} at {place} is not finite (allowed: finite numbers)")
    x_train, y_train, x_test, y_test = found.values()
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if len(x) != len(y):
            raise ValueError(f"y_{part}: there are {len(y)} targets (allowed: {len(x)}, as many as rows of x_{part})")
    for name, train, test in (("x", x_train, x_test), ("y", y_train, y_test)):
        if train.shape[1:] != test.shape[1:]:
            raise ValueError(
                f"{name}_test: the shape is {test.shape}, which does not go with {train.shape} for training"
            )
    classes = np.unique(y_train) if labelled else np.arange(y_train[0].size)
    if (size := x_train.size + x_test.size + len(classes) * (len(y_train) + len(y_test))) > MOST_NUMBERS:
        raise ValueError(f"x_train: with the other arrays there are {size} numbers (allowed: up to {MOST_NUMBERS})")
    if labelled:
        if len(classes) < 2 or not np.array_equal(classes, np.arange(len(classes))):
            there = shown(classes.astype(int).tolist())
            raise ValueError(f"y_train: the classes are {there} (allowed: 0, 1 and so on without a gap, at least two)")
        for unknown in np.setdiff1d(y_test, classes)[:1]:
            raise ValueError(f"y_test: {unknown:g} is no class of y_train (allowed: 0 to {len(classes) - 1})")
        y_train, y_test = (np.eye(len(classes))[y.astype(int)] for y in (y_train, y_test))
    y_train, y_test = y_train.reshape(len(y_train), -1), y_test.reshape(len(y_test), -1)
    one_hot = len(classes) > 1 and all(np.array_equal(y, np.eye(len(classes))[y.argmax(1)]) for y in (y_train, y_test))
    return Dataset(x_train, y_train, x_test, y_test, "classification" if one_hot else "regression")
