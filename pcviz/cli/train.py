"""`python -m pcviz train`: train one network and report the results."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pcviz.cli.flags import PRESET, describe, parse
from pcviz.cli.work import DONE, JSON, LIMIT, admit, answer, limit_of, patience, progress
from pcviz.experiment import Experiment

if TYPE_CHECKING:
    from pcviz.frames import Frame

FLAGS = {"preset": PRESET, "json": JSON, "limit": LIMIT}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    experiment, given = parse(words, FLAGS)
    if experiment is None:
        print("python -m pcviz train [flags]: train a network\n\n" + describe(FLAGS))
        return DONE
    as_json, limit = "json" in given.flags, limit_of(given.flags)
    admit(experiment)
    work = partial(run_training, experiment, limit, quiet=as_json or not sys.stderr.isatty())
    return answer(work, summary, "training", as_json=as_json)


def run_training(experiment: Experiment, limit: float | None = None, *, quiet: bool) -> dict[str, Any]:
    """Train to the end, for `limit` seconds or until Ctrl-C; returns the document of `train --json`. Shows a progress
    bar on standard error unless `quiet`."""
    from pcviz.jobs.training import Training  # loads JAX, which help and bad arguments do not need

    training, last = Training(experiment), LastStep()
    with progress("weight step", quiet=quiet) as report:
        report(0, training.steps, text="compiling")
        with patience(limit) as patient:
            for frame in training.run():
                last.see(frame)
                report(frame.step, training.steps, float(frame.values["seconds_left"]), last.text)
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
        """Add a frame."""
        if frame.step != self._step:
            self._step, self._values = frame.step, {}
        self._values |= frame.values

    def number(self, channel: str) -> float | None:
        """The channel's number; None if the frames hold none."""
        return float(self._values[channel]) if channel in self._values else None

    def count(self, channel: str) -> int | None:
        """`number` as a whole number."""
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
    """The text for a terminal: the main results of a run, in a few lines."""
    steps, expected = document["steps"], document["layers_expected"]
    lines = [f"{document['status']} after {steps} weight steps in {document['seconds']:.1f} s on {document['device']}"]
    if document["status"] == "diverged":
        lines.append(f"weight step {steps + 1} was not finite; results are of step {steps}")
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
