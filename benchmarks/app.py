"""Rows of trainings in the app: through a worker process and the store, beside the weight steps alone.

A turn is a whole training. Its time goes from the first frame that was published to the last, so that starting and
compiling do not count, but evaluation, history, encoding, writing frames and checkpoints do. No page watches.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.alone import AppSteps
from benchmarks.rounds import Bench, Seconds, each_of, steps_in, wall_clock
from benchmarks.rows import Row, row
from benchmarks.runs import Shape, experiment_of
from pcviz.engine.client import Client
from pcviz.engine.supervisor import Supervisor
from pcviz.experiment import Experiment
from pcviz.settings import Settings
from pcviz.store import RunRecord, Store

TRAINING_SECONDS, LEAST_STEPS, ALONE_SECONDS = 2.0, 60, 1.0
"""A training of fewer steps would be evaluated and recorded more often than those of users."""
COMPILING_STEPS = 4
POLL_SECONDS, PATIENCE_SECONDS = 0.02, 120.0
APP_MUST = 1.25


@contextmanager
def running_worker() -> Iterator[Client]:
    """A client whose store a worker process serves, as under a server."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=f"sqlite:///{Path(folder) / 'pcviz.db'}")
        client = Client(Store(settings.database))
        client.store.database.open()
        supervisor = Supervisor(settings, client.store)
        supervisor.start()
        try:
            yield client
        finally:
            supervisor.stop()


def train(client: Client, experiment: Experiment) -> Seconds:
    """Seconds of one weight step of a whole training, from its first frame to its last; wall time only."""
    first, last = ends(client, experiment)
    if last.step == first.step:
        raise RuntimeError(f"all {last.step} steps of a training came in one frame: it is too short to be timed")
    wall = (last.published_at - first.published_at) / (last.step - first.step)
    return Seconds(wall, wall)


def ends(client: Client, experiment: Experiment) -> tuple[RunRecord, RunRecord]:
    """The records of a training when its first frame, or the first that was seen, and its last were published."""
    run, first = client.start(experiment, "bench"), None
    patience = time.monotonic() + PATIENCE_SECONDS
    while not (record := client.get(run)).ended:
        first = first or (record if record.seq else None)
        if time.monotonic() > patience:
            raise RuntimeError(f"a training of {experiment.learning.steps} steps did not end: {record.state}")
        time.sleep(POLL_SECONDS)
    if record.state != "done":
        raise RuntimeError(f"a training ended as {record.state}: {record.message}")
    return first or record, record


def live(bench: Bench, shapes: list[Shape]) -> Iterator[Row]:
    """Wall time of a weight step of a training in the app, over that of the step alone."""
    with running_worker() as client:
        for shape in shapes:
            experiment = experiment_of(shape)
            bare = AppSteps(experiment)
            count = steps_in(bare, ALONE_SECONDS)
            steps = max(LEAST_STEPS, math.ceil(count * TRAINING_SECONDS / ALONE_SECONDS))
            whole = experiment.changed({"learning.steps": steps})
            ends(client, experiment.changed({"learning.steps": COMPILING_STEPS}))
            found = bench.in_turn({"app": partial(train, client, whole), "bare": partial(each_of, bare, count)})
            times = [1e3 * each for each in found.seconds("app", wall_clock)]
            yield row("weight step in the app, wall time", shape, times, "ms", steady=found.steady)
            ratios = found.ratios("app", "bare", wall_clock)
            yield row("app over the step alone, wall time", shape, ratios, "×", at_most=APP_MUST, steady=found.steady)
