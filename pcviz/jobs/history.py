"""The history of a training by weight step: which steps are recorded, and what is recorded of them.

Steps are chosen by number alone, so that equal trainings have equal histories, whatever the machine and the viewers:
every step up to 2 · PER_OCTAVE, then PER_OCTAVE of each doubling, and those at which the test set is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pcviz.experiment import Experiment
from pcviz.experiment.cost import estimate
from pcviz.frames import Frame, Value
from pcviz.jobs.watch import SIGNS

if TYPE_CHECKING:
    import pandas as pd

PER_OCTAVE = 128
TESTS, FEWEST_TESTS, TESTS_SHARE, TESTS_PER_OCTAVE = 50, 10, 0.03, 4
"""The test set is evaluated at TESTS evenly spaced steps, fewer where they would take more than TESTS_SHARE of the
time, and at TESTS_PER_OCTAVE of each doubling, for early steps; at one of each doubling where TESTS are too many."""
NONE = np.array([np.inf, -np.inf])
PARTS = (
    "step",
    "epoch",
    "seconds",
    "train_loss",
    "energy",
    "total_energy",
    "weight_change",
    "test_loss",
    "test_accuracy",
    "sign",
)
TABLE = PARTS[:-1]


def thinned(steps: int, per_octave: int) -> np.ndarray:
    """The steps 1 … `steps` that are recorded: all up to twice `per_octave`, then `per_octave` of each doubling."""
    first, stride = 2 * per_octave, 2
    parts = [np.arange(1, min(first, steps) + 1)]
    while first < steps:
        parts.append(np.arange(first + stride, min(2 * first, steps) + 1, stride))
        first, stride = 2 * first, 2 * stride
    return np.concatenate(parts)


def affordable_tests(experiment: Experiment) -> int:
    """At how many evenly spaced steps the test set is evaluated."""
    cost = estimate(experiment)
    affordable = TESTS_SHARE * cost.seconds / cost.test_seconds
    return int(np.clip(affordable, FEWEST_TESTS, TESTS))


class History:
    """The recorded rows that no frame has carried yet, in a training of `steps` weight steps, `epoch` of them an epoch.

    `rows` are the steps that are recorded, `tests` those of them at which the test set is evaluated: as many evenly
    spaced ones as asked for, and some early ones.
    """

    def __init__(self, steps: int, epoch: int, tests: int = TESTS) -> None:
        self.epoch = epoch
        evenly = np.ceil(np.linspace(0, steps, tests + 1)[1:]).astype(int)
        early = thinned(steps, TESTS_PER_OCTAVE if tests == TESTS else 1)
        self.tests = np.unique(np.concatenate([early, evenly]))
        self.rows = np.union1d(thinned(steps, PER_OCTAVE), self.tests)
        self._open = NONE  # least and greatest loss since the last row
        self._began = np.zeros(len(SIGNS), bool)  # which signs have begun since
        self._pending: dict[str, list[Value]] = {part: [] for part in PARTS}

    def next_test(self, step: int) -> int:
        """The first step after `step` at which the test set is evaluated; the last one if none follows."""
        return int(self.tests[min(int(np.searchsorted(self.tests, step, "right")), len(self.tests) - 1)])

    def wanted(self, steps: range) -> np.ndarray:
        """Which of these steps are recorded, (len(steps),) bool."""
        at = np.searchsorted(self.rows, steps).clip(max=len(self.rows) - 1)
        return self.rows[at] == np.array(steps)

    def include(self, step: int) -> bool:
        """Add a step to those recorded; returns whether it is new."""
        if new := step not in self.rows:
            self.rows = np.union1d(self.rows, [step])
        return new

    def take(self, steps: range, seconds: np.ndarray, course: Sequence[np.ndarray], began: np.ndarray) -> None:
        """Record those of the completed `steps` that are wanted. `seconds` (M,): compute time at each; `course`: losses
        (M,), energies (M, L) and weight changes (M, L); `began` (M, S): which signs begin there."""
        losses, energies, changes = course
        seen = 0
        for i in np.flatnonzero(self.wanted(steps)):
            self._open = _widened(self._open, losses[seen : i + 1])
            self._began = self._began | began[seen : i + 1].any(0)
            row: dict[str, Any] = {
                "step": steps[i],
                "epoch": steps[i] / self.epoch,
                "seconds": seconds[i],
                "energy": energies[i],
            }
            row |= {"train_loss": np.array([losses[i], *self._open]), "total_energy": energies[i].sum()}
            row |= {"weight_change": changes[i], "test_loss": np.nan, "test_accuracy": np.nan}
            row["sign"] = np.where(self._began, losses[i], np.nan)
            for part in PARTS:
                self._pending[part].append(row[part])
            self._open, self._began, seen = NONE, np.zeros(len(SIGNS), bool), int(i) + 1
        self._open, self._began = _widened(self._open, losses[seen:]), self._began | began[seen:].any(0)

    def take_test(self, loss: float, accuracy: float) -> None:
        """Record loss and accuracy on the test set in the latest row."""
        self._pending["test_loss"][-1] = loss
        self._pending["test_accuracy"][-1] = accuracy

    def drained(self, layers: int) -> dict[str, Value]:
        """The pending rows as channels of a frame (K rows, possibly 0); afterwards none is pending."""
        widths: dict[str, tuple[int, ...]] = {"train_loss": (3,), "energy": (layers,), "weight_change": (layers,)}
        widths["sign"] = (len(SIGNS),)
        rows = {
            part: np.array(values, np.int32 if part == "step" else np.float64).reshape(
                len(values), *widths.get(part, ())
            )
            for part, values in self._pending.items()
        }
        self._pending = {part: [] for part in PARTS}
        return {f"{part}_history": values for part, values in rows.items()}

    def saved(self) -> dict[str, np.ndarray]:
        """The arrays that a checkpoint keeps of the history."""
        rows = {f"history_{part}": np.array(values) for part, values in self._pending.items()}
        return rows | {"history_open": self._open, "history_began": self._began}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from the arrays of `saved`, if there are any: checkpoints of earlier versions have none."""
        if "history_open" in arrays:
            self._open = arrays["history_open"]
            none = np.full((len(arrays["history_step"]), len(SIGNS)), np.nan)
            arrays = {"history_began": self._began, "history_sign": none} | arrays
            self._began = arrays["history_began"]
            self._pending = {part: list(arrays[f"history_{part}"]) for part in PARTS}


def _widened(ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.array([np.min(values, initial=ends[0]), np.max(values, initial=ends[1])])


def history(frames: Iterable[Frame]) -> pd.DataFrame:
    """The history of a training as a table with a row for each recorded weight step, in the order of the frames.

    Columns: step, epoch, seconds, train_loss and its train_loss_least and train_loss_greatest since the row before,
    total_energy, energy_l and weight_change_l = |dW_l| / |W_l| of the layers l = 1 … L, test_loss and test_accuracy
    (NaN where the test set was not evaluated). Frames of other kinds are ignored.
    """
    import pandas as pd

    recorded = [frame.values for frame in frames if "step_history" in frame.values] or [History(0, 1).drained(0)]
    columns: dict[str, np.ndarray] = {}
    for part in TABLE:
        rows = np.concatenate([np.asarray(values[f"{part}_history"]) for values in recorded])
        if part == "train_loss":
            columns |= dict(zip(("train_loss", "train_loss_least", "train_loss_greatest"), rows.T, strict=True))
        elif rows.ndim == 2:
            columns |= {f"{part}_{layer}": column for layer, column in enumerate(rows.T, 1)}
        else:
            columns[part] = rows
    return pd.DataFrame(columns)
