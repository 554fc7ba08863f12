"""Frames: what a job reports. One frame describes the state after its last step.

A channel is a named quantity with fixed dimensions and meaning. Channels are declared beside the job that fills them,
in the `channels.py` of each instrument; `pcviz.instruments.CHANNELS` is the one table of all. Dimensions are named: L
layers, H hidden layers, R recorded rows of a relaxation (at most 256 of its T + 1 states, 512 in a run that is only a
relaxation), G grid points of a plane, S points of a path, E points of a broken line, M bins of a histogram; further
ones are explained beside their channels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from pcviz.brief import short

Value: TypeAlias = float | np.ndarray
Dtype: TypeAlias = Literal["float32", "float64", "int32", "uint8"]
TRACE_ROWS = 256
"""Most rows of a relaxation that are recorded (first, last, and log-spaced between)."""
STEP_ROWS = 40
"""The same in a weight step, where recording a row costs about as much as the inference step that follows."""
BULK_SECONDS, BULK_STEPS = 0.25, 4.0
"""Bulk channels of a training are sent every so many seconds, and not more often than every so many weight steps, whose
relaxations take half as long again where they are recorded."""
FULL_ROWS = 512
"""Most recorded rows of a run that is only a relaxation."""


@dataclass(frozen=True)
class Channel:
    """A quantity: named dimensions (none for a number), number format, unit, meaning.

    `bulk` channels are large: the store keeps the latest and those of a checkpoint, not one for every frame.
    """

    dims: tuple[str, ...]
    dtype: Dtype
    unit: str
    meaning: str
    bulk: bool = False


def number(unit: str, meaning: str) -> Channel:
    """A channel that is one number."""
    return Channel((), "float64", unit, meaning)


def bulk(dims: Iterable[str], unit: str, meaning: str, dtype: Dtype = "float64") -> Channel:
    """A large channel; its dimensions have one letter each."""
    return Channel(tuple(dims), dtype, unit, meaning, bulk=True)


PROGRESS: dict[str, Channel] = {
    "training_step": number("weight steps", "step that the training of the shown weights has reached; NaN: none runs"),
    "training_steps": number("weight steps", "last step of that training"),
    "compiling": number("0 or 1", "1: programs are being compiled; NaN: the look has finished"),
}
"""What every look reports of its progress."""

FOLLOWED: dict[str, Channel] = {
    "asked_at": number("weight steps", "the weight step that was asked for; NaN: the latest"),
}
"""What every child that follows the weights of a training reports."""

AXES = ("step", "inference_step", "epoch", "seconds")
"""Attributes of a frame that say where it was made."""
HEAD = ("run", "generation", "seq", "kind", *AXES)
"""What the store and streams keep of a frame besides its values."""


@dataclass(frozen=True)
@short
class Frame:
    """What a job reports after a step.

    `generation` grows by one at each reset of the run; `seq` counts 1, 2, … within a generation and is set by the
    store; `seconds` is compute time since the generation began; `values` maps channel names to numbers or arrays.
    """

    kind: str
    step: int
    values: dict[str, Value]
    inference_step: int = 0
    epoch: float = 0.0
    seconds: float = 0.0
    run: str = ""
    generation: int = 0
    seq: int = 0
    done: bool = field(default=False, compare=False)


def trace_rows(steps: int, rows: int = TRACE_ROWS, *, filled: bool = True) -> np.ndarray:
    """Which of the states 0 … `steps` of a relaxation to record: all, or `rows` (≥ 2) of them, log-spaced.

    Returns a strictly increasing int32 array of at most `rows` entries that holds 0 and `steps`. Rounding merges
    small steps: unless `filled`, fewer than `rows` may be recorded.
    """
    if steps < rows:
        return np.arange(steps + 1, dtype=np.int32)
    # Rounding merges the crowded small steps: draw as many points as leave no more than `rows` distinct ones.
    drawn, wanted = rows, _spaced(steps, rows - 1)
    while filled and len(spaced := _spaced(steps, drawn)) < rows:
        drawn, wanted = drawn + max(1, rows - len(spaced)), spaced
    return np.concatenate([[0], wanted]).astype(np.int32)


def _spaced(steps: int, drawn: int) -> np.ndarray:
    """The distinct ones among `drawn` steps from 1 to `steps`, in equal ratios and rounded."""
    spaced = np.round(np.geomspace(1, steps, drawn))
    spaced[-1] = steps
    return np.unique(spaced)
