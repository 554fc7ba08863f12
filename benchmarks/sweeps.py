"""Rows of sweeps: short trainings of one shape made together, beside the same ones after one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from benchmarks.rounds import Bench, Seconds, timed, wall_clock
from benchmarks.rows import Row, row
from pcviz.experiment import Experiment, from_paths
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options
from pcviz.jobs.training import Training

DEPTH, WIDTH, STEPS, SIDE = 32, 32, 20, 8
FASTER = 1.5
RATES = ",".join(f"{rate:.4g}" for rate in np.logspace(-3, -1, SIDE))
STEP_SIZES = ",".join(f"{size:.4g}" for size in np.logspace(-1.5, -0.3, SIDE))
VARY = (f"learning.learning_rate={RATES}", f"inference.step_size={STEP_SIZES}")


def together(bench: Bench) -> Iterator[Row]:
    """How many times faster a sweep is than its cells as trainings of their own, in one warm process, wall time."""
    base = from_paths(
        {
            "network.depth": DEPTH,
            "network.width": WIDTH,
            "network.activation": "tanh",
            "inference.solver": "gradient_descent",
            "inference.steps": "depth",
            "learning.steps": STEPS,
        }
    )
    options = Options(vary=VARY)

    def alone() -> Seconds:
        return timed(lambda: _train(options.cells(base).values()))

    def swept() -> Seconds:
        return timed(lambda: Sweep(base, options).run())

    alone(), swept()  # compile
    found = bench.in_turn({"alone": alone, "swept": swept})
    shape = f"L={DEPTH} N={WIDTH} T={DEPTH - 1}"
    name = f"{SIDE**2} cells swept over one by one, wall time"
    yield row(name, shape, found.ratios("alone", "swept", wall_clock), "×", at_least=FASTER, steady=found.steady)


def _train(experiments: Iterable[Experiment]) -> None:
    for experiment in experiments:
        training = Training(experiment)
        training.prepare()
        while not training.done:
            training.advance(training.steps, 10.0)
