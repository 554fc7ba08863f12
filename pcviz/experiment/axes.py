"""Axes: options of an experiment that vary, written as text, and the experiments that they span.

`network.width=32,64,128` lists values, `seed=0..4` counts whole numbers, `inference.step_size=0.1..1:5` has that many
values at equal distances and `learning.learning_rate=log:1e-3..1:7` at equal ratios.
"""

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, NamedTuple

from pydantic import ValidationError

from pcviz.experiment.faults import faults, shown
from pcviz.experiment.schema import flatten
from pcviz.experiment.spelling import is_plain_number
from pcviz.experiment.whole import Experiment, fields

MOST_VALUES, MOST_CELLS = 1000, 10_000
"""Most values of an axis, and most experiments that axes span."""
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_RANGE = re.compile(rf"(log:)?({_NUMBER})\.\.({_NUMBER})(?::(\d+))?", re.ASCII | re.IGNORECASE)
SEED = "seed"
HOW = "allowed: values such as 32,64,128 or 0..4 or 0.1..1:5 or log:1e-3..1:7"


class Axis(NamedTuple):
    """An option (field path) and its values, ascending where they are numbers of a range. `within` draws a value from a
    range for a random sample, None where the values are a list."""

    path: str
    values: tuple[Any, ...]
    within: Callable[[random.Random], Any] | None = None

    @property
    def title(self) -> str:
        """The name of the option."""
        return str(fields()[self.path].title)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values if all are numbers, else nothing."""
        plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)
        return self.values if plain else ()

    def draw(self, dice: random.Random) -> Any:
        """A random value."""
        return dice.choice(self.values) if self.within is None else self.within(dice)


def axis(text: str) -> Axis:
    """The axis that `text` describes. Raises ValueError with one line, which begins with "vary"."""
    path, equals, values = (part.strip() for part in text.partition("="))
    path = path.replace("-", "_")
    if not equals or path not in fields():
        known = "allowed: the field of an experiment, =, and its values, such as network.width=32,64,128"
        raise ValueError(f"vary: {shown(text)} is not an axis ({known})")
    whole = fields()[path].annotation is int
    found = _RANGE.fullmatch(values)
    if found is None:
        listed = [_value(part.strip()) for part in values.split(",")]
        if "" in listed or len(set(listed)) < len(listed) or len(listed) > MOST_VALUES:
            raise ValueError(f"vary: {shown(text)} has an empty or a repeated value ({HOW})")
        return Axis(path, tuple(listed))
    log, low, high, count = bool(found[1]), float(found[2]), float(found[3]), found[4]
    number = float(count or high - low + 1)
    counts = count or (low.is_integer() and high.is_integer() and not log)
    if not counts or not low < high or (log and low <= 0) or not 2 <= number <= MOST_VALUES or math.isinf(high - low):
        raise ValueError(f"vary: {shown(text)} is not a range of 2 to {MOST_VALUES} values ({HOW})")
    spaced = _spaced(low, high, int(number), log, whole)
    whole = whole or not count
    return Axis(path, spaced, lambda dice: _between(low, high, log, whole, dice.random()))


def _value(text: str) -> Any:
    """A value as text or, where it is a number or a switch, as that."""
    if text in ("true", "false"):
        return text == "true"
    if not is_plain_number(text):
        return text
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else float(text)


def _spaced(low: float, high: float, number: int, log: bool, whole: bool) -> tuple[Any, ...]:
    values = [_between(low, high, log, False, i / (number - 1)) for i in range(number)]
    if whole or all(value == round(value) for value in values):
        return tuple(dict.fromkeys(round(value) for value in values))
    return tuple(values)


def _between(low: float, high: float, log: bool, whole: bool, share: float) -> Any:
    """The value at a share of the way from `low` to `high`, with six digits."""
    value = low * (high / low) ** share if log else low + (high - low) * share
    return round(value) if whole else float(f"{value:.6g}")


@lru_cache(maxsize=8)
def cells(experiment: Experiment, vary: tuple[str, ...], samples: int | None = None) -> dict[str, Experiment]:
    """The experiments that axes span, by name, coarse to fine: the corners come first, then what halves the distances,
    and seeds after one another. With `samples`, that many random ones instead, drawn from the experiment's seed.

    Raises ValueError with one line, which begins with "vary".
    """
    axes = [axis(text) for text in vary]
    paths = [each.path for each in axes]
    if twice := {path for path in paths if paths.count(path) > 1}:
        raise ValueError(f"vary: {', '.join(sorted(twice))} varies twice (allowed: one axis for each option)")
    if (number := samples or math.prod(len(each.values) for each in axes)) > MOST_CELLS:
        raise ValueError(f"vary: {number} experiments are too many (allowed: 1 to {MOST_CELLS})")
    found = {}
    for values in _drawn(axes, experiment.seed, samples) if samples else _ordered(axes):
        changes = dict(zip(paths, values, strict=True))
        try:
            changed = experiment.changed(changes)
        except ValidationError as error:
            raise ValueError(f"vary: {name_of(changes)}: {faults(error)[0]}") from None
        taken = flatten(changed.model_dump())  # a whole number may have been written as 32.0
        found[name_of({path: taken[path] for path in paths})] = changed
    return found


def name_of(changes: dict[str, Any]) -> str:
    """The name of a cell: "network.width=32 seed=0"."""
    return " ".join(f"{path}={shown(value)}" for path, value in changes.items()) or "as it is"


def _drawn(axes: Sequence[Axis], seed: int, samples: int) -> Iterator[tuple[Any, ...]]:
    dice = random.Random(f"sweep {seed}")
    for _ in range(samples):
        yield tuple(each.draw(dice) for each in axes)


def _ordered(axes: Sequence[Axis]) -> Iterator[tuple[Any, ...]]:
    """All combinations: seeds outermost, then by the finest level of their indices."""
    levels = [_levels(len(each.values)) for each in axes]

    def rank(indices: tuple[int, ...]) -> tuple[Any, ...]:
        seeds = [index for each, index in zip(axes, indices, strict=True) if each.path == SEED]
        rest = [own[i] for each, own, i in zip(axes, levels, indices, strict=True) if each.path != SEED]
        return seeds, max(rest, default=0), indices

    for indices in sorted(product(*(range(len(each.values)) for each in axes)), key=rank):
        yield tuple(each.values[index] for each, index in zip(axes, indices, strict=True))


def _levels(count: int) -> list[int]:
    """At which halving an index appears: the ends first, then the middle, then the middles of both halves."""
    found = {0: 0, count - 1: 0}
    level, ends = 0, [0, count - 1]
    while len(found) < count:
        level += 1
        middles = [(a + b) // 2 for a, b in pairwise(ends) if b - a > 1]
        found |= dict.fromkeys(middles, level)
        ends = sorted(found)
    return [found[index] for index in range(count)]
