"""Commands by name: train, relax, reproduce, data, bench, serve; `pcviz.cli.flags.EXIT` has the exit statuses."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pcviz.cli.flags import EXIT, PRESET, BadArguments, Flag, describe, parse, read
from pcviz.cli.work import BAD, DONE, FAILED, JSON, LIMIT, answer, limit_of, patience, progress
from pcviz.experiment import Experiment, cost
from pcviz.experiment.data import is_own
from pcviz.experiment.faults import shown
from pcviz.live import heap
from pcviz.places import ensure_home

if TYPE_CHECKING:
    from pcviz.frames import Frame

PACKAGE = Path(__file__).parents[1]
OPTIONS = next(folder for above in (PACKAGE, PACKAGE.parent) if (folder := above / ".streamlit").exists())
"""Streamlit's options for this app; a wheel has that folder of the checkout in the package."""
TRAIN_FLAGS = {"preset": PRESET, "json": JSON, "limit": LIMIT}
SERVE_FLAGS = {
    "port": Flag("Port of the app (default 8501)", "1 to 65535"),
    "address": Flag("Address to listen on (default localhost)", "a host name or an IP address"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line `arguments` (default: those of this process); returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    if words[0] not in COMMANDS:
        return _refuse([f"{shown(words[0])}: unknown command (allowed: {', '.join(COMMANDS)})"])
    try:
        return COMMANDS[words[0]](words[1:])
    except BadArguments as bad:
        return _refuse(bad.lines)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return FAILED


def _refuse(lines: list[str]) -> int:
    print("\n".join(lines), file=sys.stderr)
    return BAD


def train(words: list[str]) -> int:
    """Train one network and say how it went."""
    experiment, given = parse(words, TRAIN_FLAGS)
    if experiment is None:
        print("python -m pcviz train [flags]: train a network\n\n" + describe(TRAIN_FLAGS))
        return DONE
    as_json, limit = "json" in given.flags, limit_of(given.flags)
    admit(experiment)
    work = partial(run_training, experiment, limit, quiet=as_json or not sys.stderr.isatty())
    return answer(work, summary, "training", as_json=as_json)


def admit(experiment: Experiment) -> None:
    """Refuse what does not fit into memory, and data that nobody holds; say on standard error what a page would refuse
    because nobody waits that long. Raises BadArguments."""
    if too_large := cost.memory_refusal(experiment):
        raise BadArguments(too_large)
    if is_own(experiment.data.name):
        import_module("pcviz.cli.data").fetch(experiment.data.name)
    for line in cost.long_step(experiment):
        print(f"warning: {line}", file=sys.stderr)


def run_training(experiment: Experiment, limit: float | None = None, *, quiet: bool) -> dict[str, Any]:
    """Train to the end, for `limit` seconds or until Ctrl-C; returns the document of `train --json`. A progress bar on
    standard error unless `quiet`."""
    from pcviz.jobs.training import Training  # loads JAX, which help and bad arguments do without

    training, last = Training(experiment), LastStep()
    with progress("weight step", quiet=quiet) as tell:
        tell(0, training.steps, text="compiling")
        with patience(limit) as patient:
            for frame in training.run():
                last.see(frame)
                tell(frame.step, training.steps, float(frame.values["seconds_left"]), last.text)
                if patient.over:
                    break
    return {
        "schema": 1,
        "experiment": experiment.model_dump(mode="json"),
        "status": patient.status(diverged=training.diverged, done=training.done),
        "steps": int(training.step),
        "train_loss": last.number("train_loss"),
        "test_loss": last.number("test_loss"),
        "test_accuracy": last.number("test_accuracy") if experiment.data.facts.task == "classification" else None,
        "energies": last.energies,
        "layers_with_signal": last.count("layers_with_signal"),
        "layers_learning": last.count("layers_learning"),
        "layers_expected": last.count("layers_expected"),
        "energy_off_theory": last.number("energy_off_theory"),
        "energy_left": last.number("energy_left"),
        "seconds": float(training.seconds),
        "device": str(training.device),
    }


class LastStep:
    """The numbers of the last weight step that was reported, whether they came in one frame or in several."""

    def __init__(self) -> None:
        self._step = -1
        self._values: dict[str, Any] = {}

    def see(self, frame: Frame) -> None:
        """Take in a frame."""
        if frame.step != self._step:
            self._step, self._values = frame.step, {}
        self._values |= frame.values

    def number(self, channel: str) -> float | None:
        """The channel's number; None where there is none."""
        return float(self._values[channel]) if channel in self._values else None

    def count(self, channel: str) -> int | None:
        """The same as a whole number."""
        value = self.number(channel)
        return None if value is None else round(value)

    @property
    def energies(self) -> list[float] | None:
        """E_1 … E_L."""
        return np.asarray(self._values["energy"], float).tolist() if "energy" in self._values else None

    @property
    def text(self) -> str:
        """Loss and accuracy, for a progress bar."""
        loss, accuracy = self.number("train_loss"), self.number("test_accuracy")
        text = "" if loss is None else f"loss {loss:.4g}"
        return text + ("" if accuracy is None else f", test accuracy {accuracy:.1%}")


def summary(document: dict[str, Any]) -> str:
    """What a person wants to know of a finished run, in a few lines."""
    steps, expected = document["steps"], document["layers_expected"]
    lines = [f"{document['status']} after {steps} weight steps in {document['seconds']:.1f} s on {document['device']}"]
    if document["status"] == "diverged":
        lines.append(f"weight step {steps + 1} was not finite; what follows is of step {steps}")
    for name, label, form in (
        ("train_loss", "train loss", ".4g"),
        ("test_loss", "test loss", ".4g"),
        ("test_accuracy", "test accuracy", ".1%"),
        ("energy_off_theory", "decades of energy off theory", ".1f"),
        ("layers_learning", f"layers that learn, of {expected}", "d"),
    ):
        if document[name] is not None:
            lines.append(f"{label}: {document[name]:{form}}")
    return "\n".join(lines)


def bench(words: list[str]) -> int:
    """Measure the speed of training and inference."""
    try:
        engine = import_module("benchmarks.engine")
    except ModuleNotFoundError:
        print("bench: the benchmarks are not installed; run python -m pcviz bench in a checkout", file=sys.stderr)
        return FAILED
    return int(engine.main(words) or DONE)


def serve(words: list[str]) -> int:
    """Open the app on this machine."""
    given, lines = read(words, SERVE_FLAGS)
    if given.help:
        print("python -m pcviz serve [flags]: open the app\n")
        print(describe(SERVE_FLAGS, with_fields=False))
        return DONE
    port = given.flags.get("port", "8501")
    if not (str(port).isascii() and str(port).isdigit() and 1 <= int(str(port)) <= 65535):
        lines.append(f"port: {shown(port)} is not a port (allowed: 1 to 65535)")
    elif _in_use(str(given.flags.get("address", "localhost")), int(str(port))):
        lines.append(f"port: {port} is in use, perhaps by another pcviz; choose another")
    lines += [f"{path}: is no flag of serve (allowed: --port, --address)" for path in given.fields]
    if lines:
        raise BadArguments(lines)
    app = PACKAGE / "ui" / "scripts" / "app.py"
    ensure_home(app.parent)
    heap.keep_small()
    from streamlit import config
    from streamlit.web.cli import main as streamlit

    found = config.get_config_files  # the user's, then the one in the working directory: later ones win
    config.get_config_files = lambda file_name: [*found(file_name)[:1], str(OPTIONS / file_name), *found(file_name)[1:]]
    options = ["--server.port", str(port)]
    if "address" in given.flags:
        options += ["--server.address", str(given.flags["address"])]
    streamlit(["run", str(app), *options], standalone_mode=False)
    return DONE


def _in_use(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def relax(words: list[str]) -> int:
    """Look inside one relaxation and compare solvers."""
    return int(import_module("pcviz.cli.relax").relax(words))


def data(words: list[str]) -> int:
    """Add, list or delete data sets of your own."""
    return int(import_module("pcviz.cli.data").data(words))


def reproduce(words: list[str]) -> int:
    """Measure a published finding anew, beside what was reported."""
    return int(import_module("pcviz.cli.reproduce").reproduce(words))


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "train": train,
    "relax": relax,
    "reproduce": reproduce,
    "data": data,
    "bench": bench,
    "serve": serve,
}


def _overview() -> str:
    lines = ["python -m pcviz <command> [flags]", ""]
    lines += [f"  {name:<9} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "\n".join([*lines, "", "python -m pcviz <command> --help lists its flags.", "", EXIT])
