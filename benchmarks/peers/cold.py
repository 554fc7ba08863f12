"""The first weight step of a library in a process of its own, nothing compiled before.

`python -m benchmarks.peers.cold fabricpc TASK.npz BEGUN` prints the seconds of CPU time and of wall time until then;
BEGUN is the time at which the process was started. With `--load` the digits are loaded from where the library's users
get them; pcviz has them in its package.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks.peers.task import Peer, Task

PEERS = {"pcviz": ("ours", "Ours"), "fabricpc": ("fabricpc", "FabricPC"), "jpc": ("jpc", "Jpc")}
"""Module and class of each library, imported only where it is used."""


def peer(name: str) -> Peer:
    """A library by its name."""
    module, kind = PEERS[name]
    made: Peer = getattr(import_module(f"benchmarks.peers.{module}"), kind)()
    return made


def first_step(name: str, task: Task, rounds: int, *, load: bool) -> tuple[float, float]:
    """Median CPU and wall seconds from the start of a process to the end of its first weight step."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "task.npz")
        task.save(file)
        for attempt in range(rounds):
            words = [sys.executable, "-m", "benchmarks.peers.cold", name, str(file), repr(time.time())]
            empty = {**os.environ, "XDG_CACHE_HOME": f"{folder}/{attempt}"}
            done = subprocess.run(
                [*words, "--load"] if load else words, env=empty, capture_output=True, text=True, check=True
            )
            found.append(json.loads(done.stdout))
    return statistics.median(f["cpu"] for f in found), statistics.median(f["wall"] for f in found)


def main(name: str, file: str, begun: str, *load: str) -> None:
    """Train until the first weight step is done."""
    task = Task.read(Path(file))
    if load and name != "pcviz":
        from sklearn.datasets import load_digits

        load_digits()

    def first(_step: int) -> None:
        print(json.dumps({"cpu": time.process_time(), "wall": time.time() - float(begun)}), flush=True)
        os._exit(0)

    peer(name).train(task, first)


if __name__ == "__main__":
    main(*sys.argv[1:])
