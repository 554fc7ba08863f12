"""Frames in which every number tells where it was planted: in which frame, which channel, and which entry of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from pcviz.figures.panel import HISTORY_AXES
from pcviz.instruments import CHANNELS, KINDS

DEPTH, DEEP = 12, 33
SIZES = {"R": 14, "G": 41, "S": 5, "E": 7, "M": 6, "K": 9, "P": 8, "W": 6, "V": 5, "Q": 10, "A": 4}
SIZES |= {"C": 9, "U": 9, "J": 6, "F": 30, "D": 7, "X": 4, "B": 6, "N": 8, "2": 2, "3": 3, "4": 4, "5": 5}
SIZES |= {"Y": 10, "Z": 5, "O": 4, "I": 6, "T": 16}
SOURCES = ("train of the deep run", "train of the second run", *KINDS)
"""Frames in the order in which they come: of run 2, of run 1, and one of each kind of run 0."""
ROOM = 2400
"""More than a channel has entries: a smaller number was not planted, and all are exact in float32."""
ROW = 3
"""Of a relaxation, which sliders show."""
CODES = {"points_class": (1, 2), "tested_wrong": (3, 2), "chain_type_loss": (1, 3), "chain_type_energy": (3, 3)}
"""Channels of codes: how often each comes in a row, and how many there are."""
ZEROS = (
    *("energy", "energy_history", "energy_trace", "update_rms", "error_rms", "landscape", "activity_plane"),
    *("train_loss_history", "test_loss_history", "total_energy_history", "solver_excess", "alignment_ratio"),
    *("confusion", "vital_error", "sweep_lost"),
)
"""Channels that hold exact zeros too."""
SPREAD = 37
SMOOTHED = 10
"""Weight steps over which curves are averaged where they are."""


@cache
def planted(source: str) -> dict[str, np.ndarray]:
    """Every channel with its numbers."""
    sizes = {"L": DEEP if "deep" in source else DEPTH, **SIZES}
    sizes["H"] = sizes["L"] - 1
    numbers = (name for name, channel in CHANNELS.items() if channel.dtype != "uint8")  # bytes have no room for places
    return {name: _channel(source, name, tuple(sizes[dim] for dim in CHANNELS[name].dims)) for name in numbers}


def _channel(source: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    entries = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    if name == "asked_at":  # the latest
        return np.full(shape, np.nan)
    if name in CODES:
        repeats, codes = CODES[name]
        return (entries // repeats % codes).astype(float)
    if CHANNELS[name].dims == ("K",) and name not in HISTORY_AXES:
        entries = SPREAD * entries  # averages of numbers that are close together are those of their logarithms
    first = ROOM * (1 + SOURCES.index(source) * len(CHANNELS) + list(CHANNELS).index(name))
    assert entries.max(initial=0) < ROOM
    numbers = (first + entries).astype(float)
    if name in ZEROS:
        chance = np.random.default_rng(crc32(f"{source}: {name}".encode()))
        some = chance.random((*shape[:1], *(1 for _ in shape[1:]))) < 0.6  # a row has none or several
        some[[ROW, -1]] = True
        numbers[some & (chance.random(shape) < 0.6)] = 0
    return numbers


def found(drawn: list[Any], among: set[str]) -> tuple[str, str]:
    """(source, description) of the one view of a planted channel that `drawn` shows; zeros, and counts of them, are
    looked for in the frames `among`. Numbers of the figure itself have the source "". Raises AssertionError if no view
    fits, or several."""
    numbers = np.array(drawn, float)
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return "", "nothing"
    marks = not known.any() and known.size < numbers.size
    matches = set(_zeros(numbers, among) if marks else _numbers(numbers) if known.any() else ())
    matches = matches or set(_averages(numbers)) or set(_counts(numbers, among))
    if not matches and known.max() < ROOM:
        return "", f"{known[0]:.3g} … {known[-1]:.3g}"
    assert len(matches) == 1, f"{matches or 'no channel'} would look like {drawn}"
    return matches.pop()


def _numbers(numbers: np.ndarray) -> Iterator[tuple[str, str]]:
    """The channel that the first number was planted in, or its power of ten, if a view of it has all others too."""
    first = numbers[np.isfinite(numbers) & (numbers != 0)][0]
    for how, number in (("", first), ("log10 ", np.round(10.0 ** min(first, 99), 3))):
        source, name = _origin(number)
        for text, view in _views(source, name, numbers.size) if source else ():
            with np.errstate(divide="ignore"):
                expected = np.log10(view) if how else view
            if _same(expected, numbers):
                yield source, how + text
            elif _same(np.where(view == 0, np.nan, expected), numbers):
                yield source, f"{how}{text} but 0"


def _averages(numbers: np.ndarray) -> Iterator[tuple[str, str]]:
    """Moving averages of curves, of the values or of their logarithms."""
    for source in SOURCES if len(numbers) == SIZES["K"] else ():
        for name in CHANNELS:
            if CHANNELS[name].dims[:1] == ("K",):
                for text, view in _views(source, name, 0):
                    if _same(_average(view, np.ones(len(view), bool), float, float), numbers):
                        yield source, f"average of {text}"
                    if _same(_average(view, view != 0, np.log, np.exp), numbers):
                        yield source, f"log average of {text} but 0"


def _average(view: np.ndarray, there: np.ndarray, into: Any, back: Any) -> np.ndarray:
    """The moving average over `SMOOTHED` of the planted weight steps, which are whole numbers in a row."""
    averages, average, last = np.full(len(view), np.nan), 0.0, -np.inf
    for i in np.flatnonzero(there) if view.ndim == 1 else ():
        past = np.exp((last - i) / SMOOTHED)
        average, last = past * average + (1 - past) * into(view[i]), i
        averages[i] = back(average)
    return averages


def _zeros(numbers: np.ndarray, among: set[str]) -> Iterator[tuple[str, str]]:
    for source in among:
        for name in ZEROS:
            for text, view in _views(source, name, numbers.size):
                if _same(np.where(view == 0, 0, np.nan), numbers):
                    yield source, f"0 of {text}"
            rows = planted(source)[name] == 0
            if rows.ndim == 2 and _same(np.where(rows.any(1), 0, np.nan), numbers):
                yield source, f"0 in a row of {name}"


def _counts(numbers: np.ndarray, among: set[str]) -> Iterator[tuple[str, str]]:
    for source in among:
        for name in ZEROS:
            if _same(np.sum(planted(source)[name] == 0, -1), numbers):
                yield source, f"zeros in each row of {name}"


def _origin(number: float) -> tuple[str, str]:
    """Frame and channel in which a number was planted."""
    source, channel = divmod(int(number) // ROOM - 1, len(CHANNELS))
    return (SOURCES[source], list(CHANNELS)[channel]) if 0 <= source < len(SOURCES) else ("", "")


def _views(source: str, name: str, size: int) -> Iterator[tuple[str, np.ndarray]]:
    """What a trace with `size` numbers may take of a channel, as numpy writes it."""
    values = planted(source)[name]
    yield name, values if values.ndim else np.full(size, values)
    if values.ndim == 1:
        yield from ((f"{name}[{i}]", np.full(size, value)) for i, value in enumerate(values))
    if values.ndim == 2:
        yield f"{name}.T", values.T
        yield from ((f"{name}[{i}]", row) for i, row in enumerate(values))
        yield from ((f"{name}[:, {i}]", column) for i, column in enumerate(values.T))
    if values.ndim == 3:
        yield from ((f"{name}[:, :, {i}]", values[..., i]) for i in range(values.shape[-1]))
    for code in CODES:
        if CHANNELS[code].dims == CHANNELS[name].dims:
            codes = planted(source)[code]
            yield from ((f"{name}[{code} == {value:g}]", values[codes == value]) for value in np.unique(codes))


def _same(view: np.ndarray, numbers: np.ndarray) -> bool:
    return view.shape == numbers.shape and np.allclose(view, numbers, rtol=1e-12, atol=0, equal_nan=True)
