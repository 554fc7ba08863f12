"""Every finding measured again within half an hour: writes docs/findings.md (`make findings`, once a week)."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import jax

import pcviz
from pcviz.cli import claims
from pcviz.instruments.reproduce.studies import STUDIES
from pcviz.instruments.reproduce.tables import claim_rows

BUDGET = 1800.0
PAGE = Path(__file__).parents[1] / "docs" / "findings.md"


def main() -> None:
    """Measure and write."""
    PAGE.write_text(page(claims.run_all(BUDGET, quiet=True, quick=False)), encoding="utf-8")


def page(document: dict[str, Any]) -> str:
    """The document of `reproduce all --json` as a page."""
    verdicts = [claim["kept"] for found in document["findings"] for claim in found["verdict"]]
    counts = f"{verdicts.count(True)} kept, {verdicts.count(False)} not kept, {verdicts.count(None)} not known"
    rows = ["| finding | | measured | 95 % interval | claim |", "|:--|:--|--:|--:|:--|"]
    for found in document["findings"]:
        name = f"{STUDIES[found['name']].label} (`{found['name']}`, {found['protocol']})"
        if found["status"] != "done":
            rows.append(f"| {name} | {found['status']} | | | |")
        for kept, measured, interval, text in claim_rows(found["verdict"]):
            rows.append(f"| {name} | {kept} | {measured} | {interval} | {text} |")
            name = ""
    return "\n".join([*_head(document, len(verdicts), counts), *rows, ""])


def _head(document: dict[str, Any], claims: int, counts: str) -> list[str]:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {jax.devices()[0].device_kind}"
    versions = f"pcviz {pcviz.__version__}, jax {jax.__version__}, Python {platform.python_version()}"
    minutes, command = document["seconds"] / 60, f"python -m pcviz reproduce all --budget {BUDGET / 60:.0f}m"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return [
        "# Findings",
        "",
        f"What `{command}` gave on {day} ({machine}; {versions}), in {minutes:.0f} minutes. Written by `make "
        "findings`, once a week.",
        "",
        f"{claims} claims: {counts}. *Quick* protocols are trials, not results; what papers say and what the "
        "full protocols gave stands in [studies.md](studies.md) and [methods.md](methods.md) 4.",
        "",
    ]


if __name__ == "__main__":
    main()
