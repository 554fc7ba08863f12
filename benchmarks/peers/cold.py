"""The first weight step of a library in a process of its own, nothing compiled before:
`python -m benchmarks.peers.cold fabricpc TASK.npz` prints seconds of CPU and of wall time since the process began."""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.peers.task import Peer, Task

PEERS = {"pcviz": ("ours", "Ours"), "fabricpc": ("fabricpc", "FabricPC"), "jpc": ("jpc", "Jpc")}
"""Module and class of each library, imported only where it is measured."""


def peer(name: str) -> Peer:
    """A library by its name."""
    module, kind = PEERS[name]
    made: Peer = getattr(import_module(f"benchmarks.peers.{module}"), kind)()
    return made


def main(name: str, file: str, begun: str) -> None:
    """Train until the first weight step is done; `begun`: seconds since the epoch when the process was started."""
    task = Task.read(Path(file))

    def first(_step: int) -> None:
        print(json.dumps({"cpu": time.process_time(), "wall": time.time() - float(begun)}), flush=True)

    peer(name).train(task, first)


if __name__ == "__main__":
    main(*sys.argv[1:])
