"""The condition number of inference at the start, over width and depth (theory.md 4.4)."""

import math
from typing import Any

from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.statistics import fit
from pcviz.instruments.reproduce.studies.start import CONDITIONING, KINDS, Start, orthogonal_curvatures, over_depth
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

EXACT = 0.05
"""Share by which condition numbers may miss closed forms: power iteration ends within a few per cent."""
SQUARE, SQUARE_OFF = 2.0, 0.3
"""μPC with skips: the condition number grows as this power of the hidden layers, give or take so much …"""
ALIKE = 2.0
"""… and differs by at most this factor between widths."""
WORSE = 3.0
"""With skips, standard parameters are worse than μPC by at least this factor at the greatest depth."""
CHART = Chart(
    "Condition number κ",
    "",
    "κ",
    (),
    (),
    "Geometric means over seeds, with the least and the greatest. Inference needs about so many steps of gradient "
    "descent. Open circles: closed form.",
    log_y=True,
    reference="closed form",
)


def report(found: Cells, protocol: Start) -> Report:
    """κ against width and depth, exponents in the number of hidden layers, and the verdict."""
    exponents = {}
    for kind in protocol.kinds:
        own = [cell for cell in found if cell["kind"] == kind]
        depths, widths = [cell["depth"] - 1 for cell in own], [cell["width"] for cell in own]
        law = fit(depths, [cell["condition"] for cell in own], widths)
        exponents[kind] = None if law is None else {"value": law.value, "interval": law.interval}
    how = f"linear networks at the start, float64; geometric means over {protocol.seeds} seed(s)"
    charts = [*over_depth(found, protocol, _read, CHART), _laws(exponents, protocol)]
    return Report(charts, verdict(found, exponents, protocol), how, {"exponents": exponents})


def _laws(exponents: dict[str, Any], protocol: Start) -> Chart:
    rows = [exponents[kind] or {"value": math.nan, "interval": None} for kind in protocol.kinds]
    ends = [row["interval"] or (math.nan, math.nan) for row in rows]
    curve = Curve("exponent", [row["value"] for row in rows], [low for low, _ in ends], [high for _, high in ends])
    return Chart(
        "Exponents in depth",
        "",
        "p in κ = c Hᵖ",
        [KINDS[kind].label for kind in protocol.kinds],
        [curve],
        "By least squares on logarithms, one factor for each width, with 95 % intervals; H is the number of hidden "
        "layers.",
        joined=False,
    )


def _read(cell: dict[str, Any]) -> tuple[float, ...]:
    known = math.nan
    if cell["kind"] == "orthogonal":
        least, greatest = orthogonal_curvatures(cell["depth"] - 1)
        known = greatest / least
    return cell["condition"], cell["least"], cell["greatest"], known


def verdict(found: Cells, exponents: dict[str, Any], protocol: Start) -> list[Claim]:
    """The claims with what was measured: `kept` is None while something is missing."""
    whole = len(found) == len(protocol.cells)
    table = {(cell["kind"], cell["width"], cell["depth"]): cell["condition"] for cell in found}
    misses = []
    for width in protocol.widths:
        for depth in protocol.depths:
            if (seen := table.get(("orthogonal", width, depth))) is not None:
                least, greatest = orthogonal_curvatures(depth - 1)
                misses.append(abs(seen / (greatest / least) - 1))
    law = exponents.get("mupc_skips")
    spreads = [
        max(row) / min(row)
        for depth in protocol.depths
        if len(row := [table[at] for n in protocol.widths if (at := ("mupc_skips", n, depth)) in table]) > 1
    ]
    deepest = protocol.depths[-1]
    worse = [
        table[kind, n, deepest] / table["mupc_skips", n, deepest]
        for kind in ("lecun_skips", "uniform_skips")
        for n in protocol.widths
        if (kind, n, deepest) in table and ("mupc_skips", n, deepest) in table
    ]
    label = KINDS["mupc_skips"].label

    def judged(text: str, seen: float | None, kept: bool, interval: Any = None) -> Claim:
        return Claim(text, seen, kept if whole and seen is not None else None, interval)

    missed, spread, lowest = max(misses, default=None), max(spreads, default=None), min(worse, default=None)
    power = law and law["value"]
    return [
        judged(f"orthogonal maps: κ is that of the closed form within {EXACT:.0%}", missed, (missed or 0) <= EXACT),
        judged(
            f"{label}: κ grows as H^p, p = {SQUARE:g} ± {SQUARE_OFF:g}",
            power,
            abs((power or 0) - SQUARE) <= SQUARE_OFF,
            law and law["interval"],
        ),
        judged(f"{label}: κ differs by at most {ALIKE:g} times between widths", spread, (spread or 0) <= ALIKE),
        judged(
            f"with skips, κ of standard parameters is at least {WORSE:g} times that of μPC at L = {deepest}",
            lowest,
            (lowest or 0) >= WORSE,
        ),
    ]


STUDIES = {
    "conditioning": Study(
        "Conditioning",
        "how ill-conditioned inference is at the start, over width and depth",
        "μPC (arXiv 2505.13124), appendix; docs/theory.md 4.4",
        CONDITIONING,
        CONDITIONING._replace(widths=(16, 64), depths=(3, 9, 33), seeds=1),
        report,
    )
}
