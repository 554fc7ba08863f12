"""The claims of a finding as rows of a table."""

from collections.abc import Sequence
from typing import Any

from pcviz.instruments.charts import number

KEPT = {True: "kept", False: "NOT kept", None: "not known"}


def claim_rows(verdict: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row for each claim of a document: verdict, what was measured, its interval, the claim."""
    return [
        [
            KEPT[claim["kept"]],
            number(claim["measured"]),
            f"{claim['interval'][0]:.3g} to {claim['interval'][1]:.3g}" if claim["interval"] else "–",
            claim["claim"],
        ]
        for claim in verdict
    ]
