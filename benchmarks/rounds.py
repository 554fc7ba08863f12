"""Measuring in rounds: variants run in turn, beside matrix products that show how fast the machine is at the moment
(`benchmarks.engine` says why)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

UNSTEADY = 0.15
ROUND_SECONDS = 0.05
"""Fast steps are repeated in a round until they take about this long."""
GEMM_SIZE, GEMM_COUNT = 1024, 3


class Seconds(NamedTuple):
    """Process CPU time, all threads, and wall time."""

    cpu: float
    wall: float


def timed(work: Callable[[], object]) -> Seconds:
    """How long `work` takes; it must wait for its results itself."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def judged(seconds: Seconds) -> float:
    """The clock that ratios are computed from."""
    return seconds.cpu if jax.default_backend() == "cpu" else seconds.wall


def wall_clock(seconds: Seconds) -> float:
    """Wall time."""
    return seconds.wall


class Measurement(NamedTuple):
    """Rounds of interleaved runs: seconds for one step of each variant, and for the matrix products."""

    variants: dict[str, list[Seconds]]
    gemm: list[Seconds]
    steady: bool

    def ratios(self, above: str, below: str, clock: Callable[[Seconds], float]) -> list[float]:
        """Ratios of two variants, one for each round."""
        pairs = zip(self.variants[above], self.variants[below], strict=True)
        return [clock(a) / clock(b) for a, b in pairs]

    def seconds(self, variant: str, clock: Callable[[Seconds], float]) -> list[float]:
        """Seconds of one step in each round."""
        return [clock(each) for each in self.variants[variant]]

    def shares_of_peak(self, variant: str, flops: float, clock: Callable[[Seconds], float]) -> list[float]:
        """Operations per second over those of the matrix products, in each round."""
        peak = GEMM_COUNT * 2 * GEMM_SIZE**3
        pairs = zip(self.variants[variant], self.gemm, strict=True)
        return [flops / clock(step) / (peak / clock(gemm)) for step, gemm in pairs]


Run = Callable[[int], None]
"""Do this many training steps and wait for them."""


class Bench:
    """Measures each variant in `rounds` rounds."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        a = jnp.asarray(np.random.default_rng(0).standard_normal((GEMM_SIZE, GEMM_SIZE)), jnp.float32)
        self._product = jax.jit(jnp.matmul)
        self._matrix = a
        self.gemm()

    def gemm(self) -> None:
        """Run the matrix products, which show the machine's own peak."""
        for _ in range(GEMM_COUNT):
            jax.block_until_ready(self._product(self._matrix, self._matrix))

    def interleaved(self, variants: dict[str, Run], counts: dict[str, int] | None = None) -> Measurement:
        """Run all variants in turn, in each turn as many steps as `counts` says, or as take about ROUND_SECONDS."""
        counts = counts or {name: steps_in(run, ROUND_SECONDS, most=64) for name, run in variants.items()}
        return self.in_turn({name: partial(each_of, run, counts[name]) for name, run in variants.items()})

    def in_turn(self, turns: dict[str, Callable[[], Seconds]]) -> Measurement:
        """Give every variant its turn, which returns the seconds of one step, round after round, discarding rounds in
        which the machine changed its speed."""
        rounds: list[tuple[Seconds, dict[str, Seconds]]] = []
        kept: list[tuple[Seconds, dict[str, Seconds]]] = []
        while len(kept) < self.rounds and len(rounds) < 2 * self.rounds:
            gemm = timed(self.gemm)
            rounds.append((gemm, {name: turn() for name, turn in turns.items()}))
            usual = statistics.median(judged(gemm) for gemm, _ in rounds)
            kept = [r for r in rounds if abs(judged(r[0]) / usual - 1) <= UNSTEADY]
        steady = len(kept) >= self.rounds
        chosen = kept if steady else rounds
        return Measurement(
            {name: [each[name] for _, each in chosen] for name in turns}, [gemm for gemm, _ in chosen], steady
        )


def steps_in(run: Run, seconds: float, *, least: int = 1, most: int = 1_000_000) -> int:
    """How many steps of `run` take about `seconds` of wall time, after a first one that compiles."""
    run(1)
    count = 1
    for _ in range(2):  # a single fast step is mostly the cost of its call
        count = int(np.clip(seconds * count / timed(partial(run, count)).wall, least, most))
    return count


def each_of(run: Run, count: int) -> Seconds:
    """Seconds of one of `count` steps of `run`."""
    spent = timed(partial(run, count))
    return Seconds(spent.cpu / count, spent.wall / count)
