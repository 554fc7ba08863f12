"""Rows of memory: the largest networks whose training is estimated to fit, and what their process takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.rows import Row, row
from benchmarks.runs import Shape, experiment_of, paths_of
from pcviz.experiment.cost import GB, estimate

ROOT = Path(__file__).parents[1]
MEMORY = 2 * GB
DEPTH, WIDTH, STEPS = 16, 128, 16
WIDEST, DEEPEST = 2048, 512
"""The largest that an experiment may have."""


def largest(shape_of: Callable[[int], Shape], most: int) -> Shape:
    """The shape of the largest number up to `most` whose training is estimated to fit into MEMORY."""
    low, high = 2, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        fits = estimate(experiment_of(shape_of(middle))).memory_bytes <= MEMORY
        low, high = (middle, high) if fits else (low, middle)
    return shape_of(low)


def peak(shape: Shape) -> int:
    """Peak bytes of a process that trains two weight steps through a worker and writes a checkpoint."""
    command = [sys.executable, "-m", "tests.jobs.memory", json.dumps(paths_of(shape))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shape}: {(done.stderr.splitlines() or ['the process was killed'])[-1]}")
    return int(json.loads(done.stdout)["worked"])


def corners() -> Iterator[Row]:
    """Width and depth of the largest networks estimated to train within MEMORY, and the peak of their process."""
    widest = largest(lambda width: Shape(DEPTH, width, STEPS), WIDEST)
    deepest = largest(lambda depth: Shape(depth, WIDTH, STEPS), DEEPEST)
    for name, shape, value in (("width", widest, widest.width), ("depth", deepest, deepest.depth)):
        estimated = estimate(experiment_of(shape)).memory_bytes / GB
        yield row(f"largest {name} estimated for {MEMORY / GB:g} GB", shape, value, "", more=True)
        yield row("memory of that training, estimated", shape, estimated, "GB")
        yield row("memory of that process, peak", shape, peak(shape) / GB, "GB", at_most=MEMORY / GB)
