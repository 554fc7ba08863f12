"""Rows of first calls: how compile time grows with depth, and beside the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

import jax

from benchmarks.rounds import Seconds, judged, timed, wall_clock
from benchmarks.rows import Row, row
from benchmarks.runs import EngineRun, ReferenceRun, Shape

COMPILED_WIDTH, COMPILED_STEPS = 128, 16
GROWTH_MUST, GROWTH_MUST_WINDOW, COMPILE_MUST = 1.3, 2.2, 3.0


def first_calls(rounds: int) -> Iterator[Row]:
    """Trace and compile time against depth, with all caches cleared and none on disk."""
    shallow, deep = (Shape(depth, COMPILED_WIDTH, COMPILED_STEPS) for depth in (8, 128))
    spent: dict[tuple[str, int], list[Seconds]] = {}
    for _ in range(rounds):
        for shape in (shallow, deep):
            stacked, window = (EngineRun(shape, windowed=windowed) for windowed in (False, True))
            runs: dict[str, EngineRun | ReferenceRun] = {
                "stacked": stacked,
                "window": window,
                "reference": ReferenceRun(shape, stacked.network),
            }
            for name, run in runs.items():
                jax.clear_caches()
                spent.setdefault((name, shape.depth), []).append(timed(run.compile))

    def seconds(name: str, depth: int, clock: Callable[[Seconds], float]) -> list[float]:
        return [clock(each) for each in spent[name, depth]]

    def ratios(above: tuple[str, int], below: tuple[str, int], clock: Callable[[Seconds], float]) -> list[float]:
        return [clock(a) / clock(b) for a, b in zip(spent[above], spent[below], strict=True)]

    for name, depth in spent:
        shape = shallow if depth == shallow.depth else deep
        wall = median(seconds(name, depth, wall_clock))
        yield row(f"compile, {name}", shape, seconds(name, depth, judged), "s", wall=wall)
    for name, most in (("stacked", GROWTH_MUST), ("window", GROWTH_MUST_WINDOW)):
        pair = (name, deep.depth), (name, shallow.depth)
        growth, wall = ratios(*pair, judged), median(ratios(*pair, wall_clock))
        yield row(f"compile L=128 over L=8, {name}", f"N={deep.width} T=16", growth, "×", at_most=most, wall=wall)
    pair = ("reference", deep.depth), ("window", deep.depth)
    gain = ratios(*pair, wall_clock)
    yield row("compiles times faster than reference, wall time", deep, gain, "×", at_least=COMPILE_MUST)
