"""What `reproduce` prints of a finding: its charts as tables, the verdict, and how it was measured."""

from typing import Any

from pcviz.cli.table import table
from pcviz.instruments.charts import chart_rows, number
from pcviz.instruments.reproduce.tables import KEPT


def summary(document: dict[str, Any]) -> str:
    """The text for a terminal."""
    lines = [] if document["status"] == "done" else [document["status"], ""]
    for chart in document["charts"]:
        lines += [*table(chart_rows(chart)), ""]
    measured = f"{len(document['cells'])} cells in {document['seconds']:.0f} s on {document['device']}"
    return "\n".join([*lines, *map(claim_line, document["verdict"]), "", f"{document['how']}; {measured}"])


def claim_line(claim: dict[str, Any]) -> str:
    """A claim, whether it is kept, and what was measured."""
    measured, ends = claim["measured"], claim["interval"]
    between = f", {ends[0]:.3g} to {ends[1]:.3g}" if ends else ""
    told = "" if measured is None else f" (measured: {number(measured)}{between})"
    return f"{KEPT[claim['kept']]}: {claim['claim']}{told}"
