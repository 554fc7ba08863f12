"""Rows of sweeps: short trainings of one shape made together, beside the same ones after one another, in one process
and in one each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.rounds import Bench, Seconds, timed, wall_clock
from benchmarks.rows import Row, row
from pcviz.experiment import Experiment, from_paths
from pcviz.experiment.command import command_line
from pcviz.instruments.sweep.job import Sweep
from pcviz.instruments.sweep.options import Options
from pcviz.jobs.training import Training

DEPTH, WIDTH, STEPS, SIDE = 32, 32, 20, 8
SHAPE = f"L={DEPTH} N={WIDTH} T={DEPTH - 1}"
FASTER, FASTER_THAN_PROCESSES = 1.5, 12.0
SAMPLE = 4
"""Trainings in a process of their own that are timed; they stand for all."""
RATES = ",".join(f"{rate:.4g}" for rate in np.logspace(-3, -1, SIDE))
STEP_SIZES = ",".join(f"{size:.4g}" for size in np.logspace(-1.5, -0.3, SIDE))
BASE = {
    "network.depth": DEPTH,
    "network.width": WIDTH,
    "network.activation": "tanh",
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
    "learning.steps": STEPS,
}
VARY = (f"learning.learning_rate={RATES}", f"inference.step_size={STEP_SIZES}")


def together(bench: Bench) -> Iterator[Row]:
    """How many times faster a sweep is than its cells as trainings of their own, in one warm process, wall time."""
    base, options = from_paths(BASE), Options(vary=VARY)

    def alone() -> Seconds:
        return timed(lambda: _train(options.cells(base).values()))

    def swept() -> Seconds:
        return timed(lambda: Sweep(base, options).run())

    alone(), swept()  # compile
    found = bench.in_turn({"alone": alone, "swept": swept})
    name = f"{SIDE**2} cells swept over one by one, wall time"
    yield row(name, SHAPE, found.ratios("alone", "swept", wall_clock), "×", at_least=FASTER, steady=found.steady)
    yield _processes(base)


def _processes(base: Experiment) -> Row:
    """How many times faster the command that sweeps is than a command for each cell; programs are cached for both."""
    network = command_line(base)
    with tempfile.TemporaryDirectory() as folder:

        def command(database: int, *words: str) -> Seconds:
            place = {"PCVIZ_DATABASE": f"sqlite:///{Path(folder, f'{database}.db')}"}
            line = [sys.executable, "-m", "pcviz", *words, *network, "--json"]
            return timed(lambda: subprocess.run(line, env=os.environ | place, check=True, stdout=subprocess.DEVNULL))

        vary = [word for axis in VARY for word in ("--vary", axis)]
        command(0, "train"), command(0, "sweep", *vary)  # compile
        trained = median(wall_clock(command(each, "train")) for each in range(1, 1 + SAMPLE))
        swept = wall_clock(command(SAMPLE + 1, "sweep", *vary))
    name = f"the same over {SIDE**2} processes, wall time ({SAMPLE} measured)"
    return row(name, SHAPE, [trained * SIDE**2 / swept], "×", at_least=FASTER_THAN_PROCESSES)


def _train(experiments: Iterable[Experiment]) -> None:
    for experiment in experiments:
        training = Training(experiment)
        training.prepare()
        while not training.done:
            training.advance(training.steps, 10.0)
