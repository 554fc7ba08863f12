"""The forward pass at the start: the rescaling S between loss and F* of linear networks has its expected value at every
width and depth (theory.md 4.3, 4.5)."""

import math
from typing import Any

from scipy.special import ndtr, ndtri

from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.studies.start import FORWARD, KINDS, Start, over_depth
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

ERRORS = 3.0
"""Standard errors by which a mean may miss its expected value where there is one cell; corrected for their number."""
HEAVY = 0.25
"""Share by which it may where the tail is heavy."""
CHART = Chart(
    "tr S / K",
    "",
    "tr S / K",
    (),
    (),
    "Means over seeds with standard errors. Where it is 1, the energy at the equilibrium is the loss. Open circles: "
    "the expected value.",
    log_y=True,
    reference="expected",
)


def report(found: Cells, protocol: Start) -> Report:
    """S against width and depth, and the verdict."""

    def read(cell: dict[str, Any]) -> tuple[float, ...]:
        told = cell["rescaling"]
        error = 0.0 if math.isnan(told["error"]) else told["error"]
        return told["mean"], told["mean"] - error, told["mean"] + error, told["expected"]

    how = f"linear networks at the start, digits, float64; means over {protocol.seeds} seeds"
    return Report(over_depth(found, protocol, read, CHART), verdict(found, protocol), how)


def allowed_errors(count: int) -> float:
    """How many standard errors one of `count` means may be off, so that all of them hold as often as one would."""
    return float(-ndtri(ndtr(-ERRORS) / count))


def verdict(found: Cells, protocol: Start) -> list[Claim]:
    """One claim for each kind: its S has the expected value in every cell. Where the tail is heavy and a mean misses by
    more, but within its standard errors, it is not known."""
    most = allowed_errors(len(protocol.cells))
    claims = []
    for kind in protocol.kinds:
        own = [cell["rescaling"] for cell in found if cell["kind"] == kind]
        facts, whole = KINDS[kind], len(own) == len(protocol.widths) * len(protocol.depths)
        shares = [abs(cell["mean"] / cell["expected"] - 1) for cell in own]
        errors = [abs(cell["mean"] - cell["expected"]) / max(cell["error"], 1e-12 * cell["expected"]) for cell in own]
        misses, limit = (shares, HEAVY) if facts.heavy else (errors, most)
        kept = max(misses) <= limit if whole else None
        sure = (error > most for share, error in zip(shares, errors, strict=True) if share > HEAVY)
        if kept is False and facts.heavy and not any(sure):
            kept = None  # the means themselves are not known to 25 %
        how = f"within {HEAVY:.0%}" if facts.heavy else f"within {most:.1f} standard errors"
        text = f"{facts.label}: tr S / K is as expected at every width and depth, {how}"
        claims.append(Claim(text, max(misses, default=None), kept))
    return claims


STUDIES = {
    "forward-pass": Study(
        "Forward pass",
        "how the rescaling S and activities grow with width and depth, against their expected values",
        "the limits paper (arXiv 2602.07697); docs/theory.md 4.3 and 4.5",
        FORWARD,
        FORWARD._replace(widths=(16, 64), depths=(4, 16), seeds=20),
        report,
    )
}
