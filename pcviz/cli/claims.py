"""`python -m pcviz reproduce list` and `reproduce all`: every finding with its claims, within a budget of time."""

from __future__ import annotations

import re
import time
from typing import Any

from pcviz.cli.flags import BadArguments
from pcviz.cli.table import table
from pcviz.experiment import Experiment, cost
from pcviz.experiment.faults import shown
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.tables import claim_rows
from pcviz.jobs.protocol import Elsewhere

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
PROTOCOLS = ("quick", "full")
BUDGET = "a time such as 90s, 30m or 2h"


def seconds_of(text: str | None) -> float:
    """A time such as 30m in seconds. Raises BadArguments."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text or "", re.ASCII)
    if found is None or not float(found[1]) > 0:
        raise BadArguments([f"budget: {shown(text or '')} is not a time (allowed: {BUDGET})"])
    return float(found[1]) * UNITS[found[2] or "s"]


def expected(name: str, protocol: str) -> float:
    """Estimated seconds of a finding."""
    return Options.model_validate({"finding": name, "protocol": protocol}).seconds(Experiment())


def plan(budget: float | None, *, quick: bool = False) -> dict[str, str | None]:
    """The protocol of every finding, None where there is no time for it: quick ones first, the shortest before the
    others; then full ones in their place, the shortest first, as long as all fit."""
    chosen: dict[str, str | None] = dict.fromkeys(STUDIES)
    left = float("inf") if budget is None else budget
    for name in sorted(STUDIES, key=lambda name: expected(name, "quick")):
        if (took := expected(name, "quick")) <= left:
            chosen[name], left = "quick", left - took
    for name in () if quick else sorted(STUDIES, key=lambda name: expected(name, "full")):
        more = expected(name, "full") - expected(name, "quick")
        if chosen[name] and more <= left:
            chosen[name], left = "full", left - more
    return chosen


def catalogue() -> dict[str, Any]:
    """The document of `reproduce list --json`."""
    rows = [
        {
            "name": name,
            "help": entry.help,
            "source": entry.source,
            "seconds": {p: round(expected(name, p), 1) for p in PROTOCOLS},
        }
        for name, entry in STUDIES.items()
    ]
    return {"schema": 1, "status": "done", "reproductions": rows}


def listed(document: dict[str, Any]) -> str:
    """`reproduce list` for a terminal."""
    rows = [["finding", *PROTOCOLS, "what it measures"]]
    for row in document["reproductions"]:
        rows.append([row["name"], *(cost.seconds_text(row["seconds"][p]) for p in PROTOCOLS), row["help"]])
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]) for row in rows)


def run_all(budget: float | None, elsewhere: Elsewhere | None = None, *, quick: bool, quiet: bool) -> dict[str, Any]:
    """Measure what fits into `budget` seconds, here or elsewhere; returns the document of `reproduce all --json`. What
    takes longer than expected is stopped at the end of the budget."""
    from pcviz.cli.reproduce import run_reproduction

    begun, findings = time.monotonic(), []
    stopped = ""
    for name, protocol in plan(budget, quick=quick).items():
        found: dict[str, Any] = {"name": name, "protocol": protocol, "status": "out of budget", "verdict": []}
        left = None if budget is None else budget - (time.monotonic() - begun)
        if protocol is not None and not stopped and (left is None or left > 0):
            options = Options.model_validate({"finding": name, "protocol": protocol})
            document = run_reproduction(options, left, elsewhere, quiet=quiet)
            found |= {key: document[key] for key in ("status", "verdict", "seconds", "device")}
            stopped = "interrupted" if document["status"] == "stopped (interrupted)" else ""
        findings.append(found)
    failed = [found["name"] for found in findings if found["status"].startswith("failed")]
    return {
        "schema": 1,
        "reproduction": "all",
        "status": f"stopped ({stopped})" if stopped else f"failed ({', '.join(failed)})" if failed else "done",
        "budget": budget,
        "seconds": time.monotonic() - begun,
        "findings": findings,
    }


def summary(document: dict[str, Any]) -> str:
    """`reproduce all` for a terminal: one line for each claim."""
    rows = [["", "measured", "interval", "finding"]]
    for found in document["findings"]:
        where = found["name"] + ("" if found["protocol"] is None else f" ({found['protocol']})")
        if found["status"] != "done":
            rows.append([found["status"], "–", "–", where])
        rows += [[*row[:3], f"{where}: {row[3]}"] for row in claim_rows(found["verdict"])]
    lines = table([row[:3] for row in rows])
    claims = [claim["kept"] for found in document["findings"] for claim in found["verdict"]]
    counts = f"{claims.count(True)} kept, {claims.count(False)} not kept, {claims.count(None)} not known"
    texts = [f"{line}  {row[3]}" for line, row in zip(lines, rows, strict=True)]
    return "\n".join([*texts, "", f"{len(claims)} claims: {counts}, in {document['seconds']:.0f} s"])
