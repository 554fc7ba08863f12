"""`python -m pcviz bench`: measure the speed of training and inference."""

import sys
from importlib import import_module

from pcviz.cli.work import DONE, FAILED


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    try:
        engine = import_module("benchmarks.engine")
    except ModuleNotFoundError:
        print("bench: the benchmarks are not installed; run python -m pcviz bench in a checkout", file=sys.stderr)
        return FAILED
    return int(engine.main(words) or DONE)
