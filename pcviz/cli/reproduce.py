"""`python -m pcviz reproduce`: measure a published finding again and print it beside the reported numbers."""

import sys
from functools import partial
from typing import Any

from pcviz.cli.flags import BadArguments, Flag, describe, read
from pcviz.cli.work import DONE, JSON, LIMIT, answer, limit_of, work_off
from pcviz.experiment import Experiment
from pcviz.experiment.command import spelling
from pcviz.experiment.faults import shown
from pcviz.experiment.solvers import SOLVERS
from pcviz.instruments.reproduce.options import REPRODUCTIONS, Options

FLAGS = {
    "json": JSON,
    "limit": LIMIT,
    "quick": Flag("Few and small networks: a trial of the command, not a result."),
}


def run(words: list[str]) -> int:
    """Run the command with these arguments; returns the exit status."""
    name, given = _read(words)
    if given is None:
        print(_help())
        return DONE
    options = Options.model_validate({"finding": name, "protocol": "quick" if "quick" in given else "full"})
    work = partial(run_reproduction, options, limit_of(given), quiet=not sys.stderr.isatty())
    return answer(work, summary, "reproduction", as_json="json" in given)


def _read(words: list[str]) -> tuple[str, dict[str, str | None] | None]:
    """The finding and the flags, None if help is requested. Raises BadArguments."""
    named = bool(words) and not words[0].startswith("-")
    name = words[0] if named else ""
    given, lines = read(words[1:] if named else words, FLAGS)
    if given.help:
        return name, None
    choices = f"(allowed: {', '.join(REPRODUCTIONS)})"
    if not named:
        lines.insert(0, f"reproduce: the name of a finding is missing {choices}")
    elif name not in REPRODUCTIONS:
        lines.insert(0, f"{shown(name)}: unknown finding {choices}")
    lines += [f"{path}: is not a flag here (allowed: {', '.join(map(spelling, FLAGS))})" for path in given.fields]
    if lines:
        raise BadArguments(lines)
    return name, given.flags


def _help() -> str:
    lines = ["python -m pcviz reproduce <finding> [flags]: measure a published finding again", ""]
    lines += [f"  {name}  {entry.help}" for name, entry in REPRODUCTIONS.items()]
    return "\n".join([*lines, "", describe(FLAGS, with_fields=False)])


def run_reproduction(options: Options, limit: float | None = None, *, quiet: bool) -> dict[str, Any]:
    """Measure to the end, for `limit` seconds or until Ctrl-C, but finish every network begun; returns the document of
    `--json`. Shows a progress bar on standard error unless `quiet`."""
    from pcviz.instruments.reproduce.job import Reproduce  # loads JAX, which help and bad arguments do not need

    job = Reproduce(Experiment(), options)
    patient = work_off(job, "network", limit, quiet=quiet)
    job.finish()
    return job.document | {"status": patient.status(diverged=False, done=job.done)}


def summary(document: dict[str, Any]) -> str:
    """The table of budgets and exponents, alignment at the budget, and how both were measured."""
    protocol, solvers = document["protocol"], document["solvers"]
    depths = [str(depth) for depth in protocol["depths"]]
    heads = [f"L={depth}" for depth in depths]
    lines = [] if document["status"] == "done" else [document["status"], ""]
    measured = document["condition_number"]["by_depth"]
    for quantity in ("iterations", "passes"):
        rows = [["", *heads, "exponent [95 %]", "reported", "arrived"]]
        for row in solvers:
            budgets = [_budget(row[quantity][d], row["caps"][d], quantity) if d in measured else "–" for d in depths]
            there = f"{row['arrived']} of {row['arrived'] + row['not_arrived']}"
            exponent = _exponent(row[f"exponent_of_{quantity}"])
            rows.append([SOLVERS[row["solver"]].label, *budgets, exponent, _reported(row["reported"]), there])
        if quantity == "iterations":
            row = document["condition_number"]
            budgets = [f"{measured[d]:,.0f}" if d in measured else "–" for d in depths]
            rows.append(["condition number", *budgets, _exponent(row["exponent"]), _reported(row["reported"]), ""])
        lines += [f"{quantity} to {protocol['share']:.0%} of the initial excess energy, medians", *_table(rows), ""]
    rows = [["", *heads]]
    for row in [*solvers, {"solver": None, "alignment": document["alignment_at_equilibrium"]}]:
        label = SOLVERS[row["solver"]].label if row["solver"] else "equilibrium"
        rows.append([label, *(_cosines(row["alignment"].get(d)) for d in depths)])
    lines += ["cosine with backprop's weight gradients at the budget, depth quartiles, input first", *_table(rows), ""]
    best = document["best_of_ours"]
    if best:
        verdict = "at most" if best["kept"] else "above"
        exponent = _exponent({"value": best["exponent"], "interval": best["interval"]})
        lines.append(
            f"best of ours: {SOLVERS[best['solver']].label}, exponent {exponent}, its estimate {verdict} the promised "
            f"{best['promised']:g}; without {best['not_arrived']} networks where it did not arrive"
        )
    return "\n".join([*lines, *_how(document)])


def _budget(value: float | None, cap: int, quantity: str) -> str:
    if value is None:
        return f"> {cap:,}" if quantity == "iterations" else "not within cap"
    return f"{value:,.0f}"


def _cosines(quartiles: list[float | None] | None) -> str:
    return " ".join("–" if c is None or c != c else f"{c:.2f}" for c in quartiles or [None])


def _exponent(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    interval = found["interval"]
    return f"{found['value']:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def _reported(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['exponent']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    ]


def _how(document: dict[str, Any]) -> list[str]:
    protocol = document["protocol"]
    return [
        f"muPC with skips at initialisation, digits, B={protocol['batch']}, float64; "
        f"N={', '.join(map(str, protocol['widths']))}; {', '.join(protocol['activations'])}; "
        f"{len(protocol['seeds'])} seed(s): {len(document['cells'])} networks in {document['seconds']:.0f} s",
        f"a budget counts if held for {protocol['hold']:.0%} more steps, gradient descent "
        f"({protocol['descent_dtype']}) for {protocol['descent_hold']:.0%}, at least {protocol['least_hold']}; "
        "energies after every step up to 100, then every 2 %",
        "exponents: one intercept for each width and activation, without networks that did not arrive within the cap",
        "reported exponents: steps until test accuracy nears backprop's (relu, N=32, MNIST), a different quantity",
        f"farthest that a solver went below F*: {document['largest_undercut']:.1e} of the initial excess",
    ]
