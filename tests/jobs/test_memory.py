"""The largest admitted runs stay within the memory that was estimated for them, each in a process of its own."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pcviz.experiment import cost, from_paths

ROOT = Path(__file__).parents[2]
SMALLEST = {"network.depth": 3, "network.width": 8, "learning.batch_size": 8, "inference.steps": 2}
BATCHES = {"data.name": "moons", "data.train_size": 8192}
CORNERS: dict[str, dict[str, Any]] = {
    "widest": {"network.width": 2048, "network.depth": 11},
    "deepest": {"network.depth": 512, "network.width": 256, "learning.batch_size": 62},
    "largest batch": {**BATCHES, "learning.batch_size": 6800, "network.depth": 512, "network.width": 16},
    "float64": {
        **BATCHES,
        "dtype": "float64",
        "inference.solver": "error_based",
        "learning.batch_size": 3700,
        "network.depth": 256,
        "network.width": 32,
    },
    "ipc": {
        "learning.rule": "ipc",
        "inference.solver": "adam",
        "learning.batch_size": 512,
        "network.depth": 128,
        "network.width": 256,
    },
    "longest": {"network.depth": 512, "network.width": 32, "inference.steps": 400},
}


def measured(changes: dict[str, Any]) -> dict[str, int]:
    """Peak bytes, while it worked and after a restart, of a process."""
    command = [sys.executable, "-m", "tests.jobs.memory", json.dumps(changes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


@cache
def baseline() -> dict[str, int]:
    """Of a process whose run needs next to nothing."""
    return measured(SMALLEST)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", CORNERS)
def test_a_run_needs_less_memory_than_estimated(name: str) -> None:
    changes = {"inference.steps": 4, **CORNERS[name]}
    experiment = from_paths(changes)
    assert cost.admission(experiment, cost.Limits()) == []
    estimated, found = cost.estimate(experiment).memory_bytes, measured(changes)
    for when, peak in found.items():
        used = peak - baseline()[when]
        print(f"{name}, {when}: {used / 1e6:.0f} MB of {estimated / 1e6:.0f} MB")
        assert used < estimated
        assert estimated < 4 * used or when != "worked", "the estimate refuses what would fit"
