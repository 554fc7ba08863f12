"""`python -m pcviz diagnose`: what keeps a network from learning, with evidence, and what helps."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import asdict
from functools import partial
from typing import Any

from pcviz.cli.flags import PRESET, BadArguments, Flag, describe, parse
from pcviz.cli.table import table
from pcviz.cli.work import DONE, JSON, LIMIT, admit, answer, limit_of, work_off
from pcviz.experiment import Experiment
from pcviz.experiment.command import spelling
from pcviz.experiment.cost import seconds_text
from pcviz.experiment.faults import allowed, shown
from pcviz.instruments.diagnosis.options import MOST_ATTEMPTS, Options
from pcviz.instruments.diagnosis.remedies import score_text

LIMIT_SECONDS = 600.0
COLUMNS = 110

FLAGS = {
    "preset": PRESET,
    "json": JSON,
    "limit": Flag(f"{LIMIT.help} (default {LIMIT_SECONDS:g})", LIMIT.allowed),
    "run": Flag("Diagnose this run of the store, after the weight steps that it has made", "the id of a run"),
    "step": Flag(
        "Compare after this many weight steps (default: as many as a few seconds allow)", allowed("step", Options)
    ),
    "verify": Flag(f"Try the remedies too, at most {MOST_ATTEMPTS} times."),
}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    experiment, given = parse(words, FLAGS)
    if experiment is None:
        print("python -m pcviz diagnose [flags]: what keeps a network from learning\n\n" + describe(FLAGS))
        return DONE
    values: dict[str, Any] = {"attempts": MOST_ATTEMPTS if "verify" in given.flags else 0}
    if (run_id := given.flags.get("run")) is not None:
        experiment, values["step"] = _stored(run_id, changed=bool(given.fields))
    if (step := given.flags.get("step")) is not None:
        values["step"] = step
    try:
        options = Options.model_validate(values)
    except ValueError:
        bad = f"step: {shown(step)} is not possible (allowed: {FLAGS['step'].allowed})"
        raise BadArguments([bad]) from None
    limit = limit_of(given.flags, LIMIT_SECONDS)
    admit(experiment)
    work = partial(run_diagnosis, experiment, options, limit, quiet=not sys.stderr.isatty())
    return answer(work, summary, "diagnosis", as_json="json" in given.flags, bad=fails)


def _stored(run_id: str | None, *, changed: bool) -> tuple[Experiment, int | None]:
    """The experiment of a stored run and the weight steps that it has made. Raises BadArguments."""
    from pcviz.settings import Settings
    from pcviz.store import Store, StoreFault, UnknownRun, Unreadable

    if changed:
        raise BadArguments(["run: does not go with fields of an experiment (allowed: one or the other)"])
    try:
        record = Store(Settings.from_environment().database).reader.run(str(run_id))
    except (UnknownRun, Unreadable, StoreFault) as error:
        raise BadArguments([f"run: {shown(run_id)}: {error}"]) from error
    return record.experiment, record.step or None


def run_diagnosis(
    experiment: Experiment, options: Options, limit: float | None = None, *, quiet: bool
) -> dict[str, Any]:
    """Diagnose to the end, for `limit` seconds or until Ctrl-C; returns the document of `--json`. Prints an estimate of
    the time on standard error, and shows a progress bar there unless `quiet`."""
    from pcviz.instruments.diagnosis.job import DiagnosisJob  # loads JAX, which help and bad arguments do not need
    from pcviz.instruments.diagnosis.verdict import diagnose

    print(f"estimate: {seconds_text(options.seconds(experiment))}", file=sys.stderr)
    job = DiagnosisJob(experiment, options)
    patient = work_off(job, "percent", limit, quiet=quiet)
    found = diagnose(job.evidence)
    return {
        "schema": 1,
        "experiment": experiment.model_dump(mode="json"),
        "status": patient.status(diverged=False, done=job.done),
        "verdict": found.severity,
        "sentence": found.sentence,
        "unit": "per cent of test examples" if job.evidence.has_classes else "half per cent of the loss of chance",
        "steps": found.steps,
        "score": found.score,
        "best": found.best,
        "baselines": found.baselines,
        "findings": [asdict(finding) for finding in (*found.causes, *found.others)],
        "attempts": [asdict(attempt) for attempt in job.attempts],
        "seconds": float(job.seconds),
        "device": str(job.device),
    }


def fails(document: dict[str, Any]) -> bool:
    """Whether a finding is FAIL."""
    return bool(document["verdict"] == "FAIL")


def summary(document: dict[str, Any]) -> str:
    """The text for a terminal: the verdict, what simple learners reach, each cause with evidence and remedy."""
    early = [] if document["status"] == "done" else [document["status"], ""]
    lines = [*early, *_wrapped(f"{document['verdict']}  {document['sentence']}", ""), ""]
    score, best = document["score"], document["best"]
    simple = ", ".join(f"{name} {_number(value)}" for name, value in document["baselines"].items())
    lines.append(f"this network {_number(score)}, its best twin {_number(best)}; {simple} ({document['unit']})")
    causes = [f for f in document["findings"] if not f["explained_by"] and f["severity"] in ("FAIL", "WARN")]
    for finding in causes:
        cost = (
            ""
            if finding["points"] is None or finding["points"] != finding["points"]
            else f" ({finding['points']:.1f} points)"
        )
        lines += ["", f"{finding['severity']}  {finding['id']} {finding['name']}{cost}"]
        lines += _wrapped(f"{finding['evidence']} {finding['cause']} {finding['consequence']}".strip())
        if finding["remedy"]:
            lines += _wrapped("Remedy: " + flags_text(finding["remedy"]))
        explained = [f["name"] for f in document["findings"] if f["explained_by"] == finding["id"]]
        if explained:
            lines += _wrapped("Explains: " + ", ".join(explained) + ".")
    if document["attempts"]:
        rows = [["remedies tried", "points", "left"], ["none", _number(score), _number(best - score)]]
        rows += [[flags_text(a["changes"]), _number(a["score"]), _number(a["left"])] for a in document["attempts"]]
        lines += ["", *table(rows)]
    return "\n".join(lines)


def flags_text(changes: dict[str, Any]) -> str:
    """Changes as flags of a command."""
    return " ".join(f"{spelling(path)} {value}" for path, value in changes.items())


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else score_text(value)


def _wrapped(text: str, indent: str = "      ") -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=indent or "      ")
