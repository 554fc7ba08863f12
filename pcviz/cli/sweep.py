"""`python -m pcviz sweep`: train one network with some of its options varied, and say which values are best."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from pydantic import ValidationError

from pcviz.cli.flags import PRESET, BadArguments, Flag, describe, parse
from pcviz.cli.table import table
from pcviz.cli.work import (
    DONE,
    JSON,
    LIMIT,
    SCHEDULER,
    WORKERS,
    admit,
    answer,
    elsewhere_of,
    limit_of,
    memory,
    work_off,
)
from pcviz.experiment import Experiment
from pcviz.experiment.axes import HOW, MOST_CELLS
from pcviz.experiment.faults import faults, shown
from pcviz.instruments.sweep.grid import as_good, best, grid, summary
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.jobs.protocol import Elsewhere

FLAGS = {
    "vary": Flag(
        "An option and its values; several of these span a grid.",
        f"FIELD=VALUES; {HOW.removeprefix('allowed: ')}",
        True,
    ),
    "samples": Flag("Random cells instead of all combinations", f"1 to {MOST_CELLS}"),
    "quantity": Flag("What decides which values are best", ", ".join(QUANTITIES)),
    "preset": PRESET,
    "workers": WORKERS,
    "scheduler": SCHEDULER,
    "json": JSON,
    "limit": LIMIT,
}
COLUMNS = 8
"""Most columns of a printed table."""


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    experiment, given = parse(words, FLAGS)
    if experiment is None:
        print("python -m pcviz sweep --vary FIELD=VALUES [flags]: vary options of one network\n\n" + describe(FLAGS))
        return DONE
    if not given.repeated.get("vary"):
        raise BadArguments([f"vary: what varies is missing ({HOW})"])
    chosen = {name: given.flags[name] for name in ("samples", "quantity") if name in given.flags}
    try:
        options = Options.model_validate({"vary": given.repeated["vary"], **chosen})
        for cell in options.cells(experiment).values():
            admit(cell)
    except ValidationError as error:
        raise BadArguments(faults(error, Options)) from None
    except ValueError as error:
        raise BadArguments([str(error)]) from None
    limit = limit_of(given.flags)
    quiet = "json" in given.flags or not sys.stderr.isatty()
    with elsewhere_of(given.flags) as elsewhere:
        work = partial(run_sweep, experiment, options, limit, elsewhere, quiet=quiet)
        return answer(work, text, "sweep", as_json="json" in given.flags)


def run_sweep(
    experiment: Experiment,
    options: Options,
    limit: float | None = None,
    elsewhere: Elsewhere | None = None,
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Train the cells, here or elsewhere, for `limit` seconds or until Ctrl-C, but finish those begun; returns the
    document of `--json`. Shows a progress bar on standard error unless `quiet`."""
    from pcviz.instruments.sweep.job import Sweep  # loads JAX, which help and bad arguments do not need

    job = Sweep(experiment, options)
    job.memory, job.elsewhere = memory(), elsewhere
    patient = work_off(job, "cell", limit, quiet=quiet)
    return job.document | {"status": patient.status(diverged=False, done=job.done)}


def text(document: dict[str, Any]) -> str:
    """The text for a terminal: the quantity over the first two axes, the best cell, and what was trained."""
    options = Options.model_validate(document["sweep"])
    name = options.quantity
    facts, measured = QUANTITIES[name], document["cells"]
    stopped = f"{document['status']}; the same command again trains only the cells that are missing"
    ended = [] if document["status"] == "done" else [stopped, ""]
    diverged = sum(cell["diverged"] for cell in measured)
    last = (
        f"{len(measured)} of {document['expected']} cells of {document['shapes']} shape(s), {diverged} diverged, "
        f"in {document['seconds']:.1f} s on {document['device']}"
    )
    if not measured:
        return "\n".join([*ended, last])
    if options.samples:
        return "\n".join([*ended, *_list(measured, name), "", last])
    found = grid(options.axes, [(cell["changes"], cell) for cell in measured], name)
    middle = summary(found, name).middle
    at = best(middle, name)
    lines = [
        f"{facts.label} ({facts.unit}), means over {found.values.shape[-1]} seed(s); *: within 10 % of the best",
        "",
    ]
    lines += _tables(found.axes, middle, as_good(middle, name))
    if at is not None:
        where = ", ".join(f"{a.path} = {shown(a.values[i])}" for a, i in zip(found.axes, at, strict=True))
        edges = [
            a.path for a, i in zip(found.axes, at, strict=True) if len(a.values) > 2 and i in (0, len(a.values) - 1)
        ]
        lines += ["", f"best: {where or 'as it is'}: {middle[at]:.4g}"]
        lines += [f"at the edge of what was varied: {', '.join(edges)}"] if edges else []
    return "\n".join([*ended, *lines, "", last])


def _list(measured: list[dict[str, Any]], name: str) -> list[str]:
    """The best random cells, the best first."""
    sign = 1 if QUANTITIES[name].small_is_good else -1
    order = sorted(measured, key=lambda cell: sign * cell[name])[:COLUMNS]
    heads = [*order[0]["changes"], name]
    return table([heads, *([*map(shown, cell["changes"].values()), f"{cell[name]:.4g}"] for cell in order)])


def _tables(axes: Any, middle: Any, good: Any) -> list[str]:
    """One table for the first two axes, and one for each value of the others."""
    import numpy as np

    while middle.ndim < 2:
        middle, good, axes = middle[..., None], good[..., None], (*axes, None)
    rows, columns, *rest = axes
    lines: list[str] = []
    for at in np.ndindex(*middle.shape[2:]):
        lines += [", ".join(f"{a.path} = {shown(a.values[i])}" for a, i in zip(rest, at, strict=True))] if rest else []
        shown_columns = range(middle.shape[1]) if columns is None else range(min(middle.shape[1], 99))
        corner = (rows.path if rows else "") + (f" \\ {columns.path}" if columns else "")
        lined = [[corner, *(shown(columns.values[j]) if columns else "" for j in shown_columns)]]
        for i in range(middle.shape[0]):
            told = [_cell(middle[(i, j, *at)], good[(i, j, *at)]) for j in shown_columns]
            lined.append([shown(rows.values[i]) if rows else "", *told])
        lines += [*table(lined), ""]
    return lines[:-1]


def _cell(value: float, good: bool) -> str:
    if value != value:
        return "–"
    return "diverged" if value in (float("inf"), float("-inf")) else f"{value:.3g}" + ("*" if good else " ")
