"""What a sweep costs, and the nearest grid that is affordable."""

import math
from typing import NamedTuple

from pcviz.experiment import Experiment, cost
from pcviz.experiment.axes import SEED, Axis
from pcviz.experiment.faults import shown
from pcviz.instruments.sweep.options import Options

LONG = 900.0
"""Seconds beyond which a thinner grid is offered."""


class Cost(NamedTuple):
    """Cells, estimated seconds, and the memory of the largest training in bytes."""

    cells: int
    seconds: float
    memory: float


def cost_of(options: Options, experiment: Experiment, slowdown: float = 1.0) -> Cost:
    """What a sweep costs. Raises ValueError where a cell is not possible."""
    cells = options.cells(experiment)
    each = [cost.estimate(cell) for cell in cells.values()]
    memory = max(one.memory_bytes for one in each)
    return Cost(len(cells), options.seconds(experiment, slowdown), memory)


def affordable(options: Options, experiment: Experiment, most: int, slowdown: float = 1.0) -> Options | None:
    """The grid with fewer values that has at most `most` cells and takes at most LONG: the axis with most values is
    thinned first, its ends kept, then seeds are fewer. None if the grid is affordable, or if none is."""
    chosen = options
    while number_of(chosen) > most or chosen.seconds(experiment, slowdown) > LONG:
        axes = {each.path: each for each in chosen.axes}
        longest = max(axes.values(), key=lambda each: (len(each.values), each.path != SEED), default=None)
        if longest is None or len(longest.values) < 3:
            return None
        kept = longest.values[: len(longest.values) // 2] if longest.path == SEED else _thinned(longest)
        axes[longest.path] = Axis(longest.path, kept)
        chosen = options.model_copy(update={"vary": tuple(map(text_of, axes.values()))})
    return None if chosen is options else chosen


def number_of(options: Options) -> int:
    """The cells of a sweep, possible or not."""
    return options.samples or math.prod(len(each.values) for each in options.axes)


def _thinned(axis: Axis) -> tuple[object, ...]:
    """Every other value, with both ends."""
    last = len(axis.values) - 1
    number = len(axis.values) // 2 + 1
    return tuple(axis.values[round(place * last / (number - 1))] for place in range(number))


def text_of(axis: Axis) -> str:
    """An axis as text that lists its values."""
    return f"{axis.path}={','.join(map(shown, axis.values))}"
