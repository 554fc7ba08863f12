"""Commands by name, each a module of that name beside this one; `pcviz.cli.flags.EXIT` has the exit statuses."""

import sys
from importlib import import_module

from pcviz.cli.flags import EXIT, BadArguments
from pcviz.cli.work import BAD, DONE, FAILED
from pcviz.experiment.faults import shown

COMMANDS = {
    "train": "Train one network and report the results.",
    "relax": "Look inside one relaxation and compare solvers.",
    "diagnose": "Say what keeps a network from learning, and what helps.",
    "sweep": "Vary options of a network and say which values are best.",
    "reproduce": "Measure a published finding again and compare it with the reported numbers.",
    "data": "Add, list or delete data sets of your own.",
    "bench": "Measure the speed of training and inference.",
    "serve": "Open the app on this machine.",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments` (default: those of this process); returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    try:
        if words[0] not in COMMANDS:
            raise BadArguments([f"{shown(words[0])}: unknown command (allowed: {', '.join(COMMANDS)})"])
        return int(import_module(f"pcviz.cli.{words[0]}").run(words[1:]))
    except BadArguments as bad:
        print("\n".join(bad.lines), file=sys.stderr)
        return BAD
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return FAILED


def _overview() -> str:
    lines = [f"  {name:<9} {text}" for name, text in COMMANDS.items()]
    closing = "python -m pcviz <command> --help lists its flags."
    return "\n".join(["python -m pcviz <command> [flags]", "", *lines, "", closing, "", EXIT])
