"""`python -m pcviz reproduce`: measure a published finding again and print it beside the reported numbers."""

import sys
from functools import partial
from typing import Any

from pcviz.cli import claims
from pcviz.cli.findings import summary
from pcviz.cli.flags import BadArguments, Flag, describe, read
from pcviz.cli.work import DONE, JSON, LIMIT, SCHEDULER, WORKERS, answer, elsewhere_of, limit_of, memory, work_off
from pcviz.experiment import Experiment
from pcviz.experiment.command import spelling
from pcviz.experiment.faults import shown
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.jobs.protocol import Elsewhere

FLAGS = {
    "json": JSON,
    "limit": LIMIT,
    "workers": WORKERS,
    "scheduler": SCHEDULER,
    "quick": Flag("Few and small networks: a trial of the command, not a result."),
    "full": Flag("The networks of a paper: what is measured without --quick."),
    "budget": Flag("Of `all`: how long it may take; what does not fit in full is quick, or left out", claims.BUDGET),
}
TOGETHER = {
    "list": "every finding, with the time that it takes",
    "all": "every finding that fits into --budget, and one table of all claims",
}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    name, given = _read(words)
    if given is None:
        print(_help())
        return DONE
    as_json, quiet = "json" in given, not sys.stderr.isatty()
    if name == "list":
        return answer(claims.catalogue, claims.listed, "list", as_json=as_json)
    limit = limit_of(given)
    with elsewhere_of(given) as elsewhere:
        if name == "all":
            budget = claims.seconds_of(given["budget"]) if "budget" in given else limit
            every = partial(claims.run_all, budget, elsewhere, quick="quick" in given, quiet=quiet)
            return answer(every, claims.summary, "reproduction", as_json=as_json)
        options = Options.model_validate({"finding": name, "protocol": "quick" if "quick" in given else "full"})
        work = partial(run_reproduction, options, limit, elsewhere, quiet=quiet)
        return answer(work, summary, "reproduction", as_json=as_json)


def _read(words: list[str]) -> tuple[str, dict[str, str | None] | None]:
    """The finding and the flags, None if help is requested. Raises BadArguments."""
    named = bool(words) and not words[0].startswith("-")
    name = words[0] if named else ""
    given, lines = read(words[1:] if named else words, FLAGS)
    if given.help:
        return name, None
    choices = f"(allowed: {', '.join([*STUDIES, *TOGETHER])})"
    if not named:
        lines.insert(0, f"reproduce: the name of a finding is missing {choices}")
    elif name not in STUDIES and name not in TOGETHER:
        lines.insert(0, f"{shown(name)}: unknown finding {choices}")
    if {"quick", "full"} <= given.flags.keys():
        lines.append("full: does not go with --quick (allowed: one of them)")
    lines += [f"{path}: is not a flag here (allowed: {', '.join(map(spelling, FLAGS))})" for path in given.fields]
    if lines:
        raise BadArguments(lines)
    return name, given.flags


def _help() -> str:
    lines = ["python -m pcviz reproduce <finding> [flags]: measure a published finding again", ""]
    texts = {name: entry.help for name, entry in STUDIES.items()} | TOGETHER
    width = max(map(len, texts))
    lines += [f"  {name:<{width}}  {text}" for name, text in texts.items()]
    return "\n".join([*lines, "", describe(FLAGS, with_fields=False)])


def run_reproduction(
    options: Options, limit: float | None = None, elsewhere: Elsewhere | None = None, *, quiet: bool
) -> dict[str, Any]:
    """Measure to the end, here or elsewhere, for `limit` seconds or until Ctrl-C, but finish every network begun;
    returns the document of `--json`. Shows a progress bar on standard error unless `quiet`."""
    from pcviz.instruments.reproduce.job import Reproduce  # loads JAX, which help and bad arguments do not need

    job = Reproduce(Experiment(), options)
    job.memory, job.elsewhere = memory(), elsewhere
    patient = work_off(job, "network", limit, quiet=quiet)
    return job.document | {"status": patient.status(diverged=False, done=job.done)}
