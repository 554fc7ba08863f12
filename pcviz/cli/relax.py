"""`python -m pcviz relax`: look inside one relaxation and compare solvers; the numbers of the Inference page."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from pcviz.cli.flags import PRESET, BadArguments, Flag, describe, parse
from pcviz.cli.work import DONE, JSON, LIMIT, admit, answer, limit_of, work_off
from pcviz.experiment import Experiment
from pcviz.experiment.cost import seconds_text
from pcviz.experiment.faults import allowed, shown
from pcviz.experiment.solvers import DEFAULT_SOLVERS, SOLVERS
from pcviz.instruments.relaxation.options import Options

if TYPE_CHECKING:
    from pcviz.instruments.relaxation.job import RelaxationJob

LIMIT_SECONDS = 600.0

FLAGS = {
    "preset": PRESET,
    "json": JSON,
    "limit": Flag(f"{LIMIT.help} (default {LIMIT_SECONDS:g})", LIMIT.allowed),
    "solver": Flag(
        f"Solvers to compare besides the experiment's own, separated by commas (default {','.join(DEFAULT_SOLVERS)})",
        f"all, {', '.join(SOLVERS)}",
    ),
    "step": Flag(
        "Relax with the weights after this many weight steps (default: fresh weights)", allowed("step", Options)
    ),
    "batch": Flag("Which training batch is relaxed (default 0)", allowed("batch", Options)),
    "budget": Flag("Most gradient evaluations per solver (default: for seconds of work)", allowed("budget", Options)),
}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    experiment, given = parse(words, FLAGS)
    if experiment is None:
        print("python -m pcviz relax [flags]: look inside one relaxation\n\n" + describe(FLAGS))
        return DONE
    options, limit = _options(given.flags), limit_of(given.flags, LIMIT_SECONDS)
    admit(experiment)
    work = partial(run_relaxation, experiment, options, limit, quiet=not sys.stderr.isatty())
    return answer(work, summary, "relaxation", as_json="json" in given.flags)


def _options(flags: dict[str, str | None]) -> Options:
    """The options that the flags describe. Raises BadArguments."""
    values: dict[str, Any] = {name: flags[name] for name in ("step", "batch", "budget") if name in flags}
    if "solver" in flags:
        names = str(flags["solver"]).split(",")
        values["solvers"] = tuple(SOLVERS) if names == ["all"] else tuple(name.strip() for name in names)
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            name = {"solvers": "solver"}.get(str(fault["loc"][0]), str(fault["loc"][0]))
            lines.append(f"{name}: {shown(flags[name])} is not possible (allowed: {FLAGS[name].allowed})")
        raise BadArguments(lines) from None


def run_relaxation(
    experiment: Experiment, options: Options, limit: float | None = None, *, quiet: bool
) -> dict[str, Any]:
    """Relax and compare solvers to the end, for `limit` seconds or until Ctrl-C; returns the document of `--json`.
    Prints an estimate of the time on standard error, and shows a progress bar there unless `quiet`."""
    from pcviz.instruments.relaxation.job import RelaxationJob  # loads JAX, which help and bad arguments do not need

    print(f"estimate: {seconds_text(options.seconds(experiment))}", file=sys.stderr)
    job = RelaxationJob(experiment, options)
    patient = work_off(job, "percent", limit, quiet=quiet)
    return document_of(job, patient.status(diverged=job.diverged, done=job.done))


def document_of(job: RelaxationJob, status: str) -> dict[str, Any]:
    """The document of a relaxation that ended with this status; unknown numbers are null."""
    from pcviz.instruments.relaxation.reading import finishes, leaders, reading

    values = job.frame(bulk=True).values
    found = finishes(values, job.names)
    first = leaders(found, "passes")

    def number(name: str) -> float | None:
        return float(values[name]) if name in values else None

    def listed(name: str) -> list[Any] | None:
        return np.asarray(values[name]).tolist() if name in values else None

    spectrum_names = ("curvature_min", "curvature_max", "condition_number", "step_limit", "contraction")
    return {
        "schema": 1,
        "experiment": job.experiment.model_dump(mode="json"),
        "step": job.options.step or 0,
        "batch": job.options.batch,
        "status": status,
        "steps": job.inference_step,
        "energies": listed("energy"),
        "initial_energy": number("initial_energy"),
        "total_energy": number("total_energy"),
        "equilibrium_energy": number("equilibrium_energy"),
        "equilibrium_is_exact": bool(values.get("equilibrium_is_exact", 0.0)),
        "layers_with_signal": round(number("layers_with_signal") or 0),
        "layers_expected": number("layers_expected"),
        "steps_to_signal": number("signal_steps"),
        "steps_to_one_percent": number("predicted_steps"),
        "solvers": [_entry(job, finish.solver) for finish in found],
        "best": [finish.solver for finish in first],
        "spectrum": {name: number(name) for name in spectrum_names}
        | {
            "negative": number("curvature_negative"),
            "error_curvature_max": number("error_curvature_max"),
            "log10_curvatures": listed("curvature_bins"),
            "counts": listed("curvature_counts"),
            "why_no_counts": job.why_no_spectrum or None,
        },
        "alignment": {
            "steps": listed("alignment_steps"),
            "cosine": listed("alignment_cosine"),
            "norm_ratio": listed("alignment_ratio"),
            "total_cosine": number("alignment_total"),
        },
        "reading": reading(job.experiment, values, job.names),
        "seconds": float(job.seconds),
        "device": str(job.device),
    }


def _entry(job: RelaxationJob, name: str) -> dict[str, Any]:
    """One solver: where it ended, and when it came within 1 % of the initial excess."""
    descent, arrival = job.descents[name], job.arrival(name)
    reached = bool(np.isfinite(arrival[0]))
    size = descent.settings.step_size
    return {
        "solver": name,
        "step_size": None if size is None else float(size),
        "steps": descent.steps[-1] if descent.steps else 0.0,
        "passes": descent.passes[-1] if descent.passes else 0.0,
        "seconds": descent.seconds[-1] if descent.seconds else 0.0,
        "final_energy": descent.energies[-1] if descent.energies else None,
        "reached_tolerance": reached,
        "steps_to_tolerance": float(arrival[0]) if reached else None,
        "passes_to_tolerance": float(arrival[1]) if reached else None,
        "seconds_to_tolerance": float(arrival[2]) / 1e3 if reached else None,
        "stopped_by": descent.state,
    }


def summary(document: dict[str, Any]) -> str:
    """The text for a terminal: the reading, and one line for each solver."""
    early = [f"{document['status']} at inference step {document['steps']}", ""] if document["status"] != "done" else []
    lines = [*early, *document["reading"], ""]
    for entry in document["solvers"]:
        label = SOLVERS[entry["solver"]].label
        if entry["reached_tolerance"]:
            passes, seconds = entry["passes_to_tolerance"], entry["seconds_to_tolerance"]
            lines.append(f"{label}: within 1 % after {passes:,.0f} gradient evaluations, {seconds:.3f} s")
        else:
            lines.append(f"{label}: not within 1 % after {entry['passes']:,.0f} ({entry['stopped_by']})")
    return "\n".join(lines)
