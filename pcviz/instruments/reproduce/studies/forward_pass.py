"""The forward pass at the start: the rescaling S between loss and F* of linear networks has its expected value at every
width and depth; with other activations it and the growth of activities tend to those of infinite width (theory.md 4.3,
4.5)."""

import math
from typing import Any

from scipy.special import ndtr, ndtri

from pcviz.instruments.charts import Chart
from pcviz.instruments.reproduce.studies.start import (
    FORWARD,
    KINDS,
    Cell,
    Start,
    by_cell,
    curve_over,
    over_activations,
    over_depth,
)
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
GROWTH = CHART._replace(
    title="Growth of the forward pass",
    y="factor of a layer",
    help="By what factor a hidden layer multiplies the mean square of activities, from the first to the last one: "
    "means over seeds with standard errors. Open circles: layers of infinite width.",
    reference="infinite width",
)
NEARING = "mupc_skips"
"""The kind whose approach to infinite width is shown."""


def report(found: Cells, protocol: Start) -> Report:
    """S and activities against width, depth and activation, and the verdict."""
    charts = over_depth(found, protocol, _rescaling, CHART)
    if protocol.nonlinear:
        wide = CHART._replace(reference=GROWTH.reference)
        charts.append(over_activations(found, protocol, _growth, GROWTH))
        charts.append(over_activations(found, protocol, _rescaling, wide))
        charts.append(_nearing(found, protocol))
    how = f"networks at the start, linear if no activation is named, digits, float64; means over {protocol.seeds} seeds"
    return Report(charts, [*verdict(found, protocol), *nonlinear_verdict(found, protocol)], how)


def _rescaling(cell: dict[str, Any]) -> tuple[float, ...]:
    return _ends(cell["rescaling"], cell["rescaling"]["expected"])


def _growth(cell: dict[str, Any]) -> tuple[float, ...]:
    each = 1 / (cell["depth"] - 2)
    return tuple(max(value, 0.0) ** each for value in _ends(cell["growth"], cell["growth"]["expected"]))


def _nearing_read(cell: dict[str, Any]) -> tuple[float, ...]:
    told = cell["growth"]
    return tuple(value / told["expected"] for value in _ends(told, math.nan))


def _ends(told: dict[str, float], reference: float) -> tuple[float, float, float, float]:
    error = 0.0 if math.isnan(told["error"]) else told["error"]
    return told["mean"], told["mean"] - error, told["mean"] + error, reference


def _nearing(found: Cells, protocol: Start) -> Chart:
    depth = protocol.depths[-1]
    curves = [
        curve_over(name, [Cell(NEARING, width, depth, name) for width in protocol.widths], found, _nearing_read)
        for name in protocol.activations
    ]
    return Chart(
        f"Growth over that of infinite width, {KINDS[NEARING].label}, L = {depth}",
        "width N",
        "ratio",
        protocol.widths,
        curves,
        "From the first to the last hidden layer: means over seeds with standard errors. It tends to 1 with width.",
        log_x=True,
    )


def allowed_errors(count: int) -> float:
    """How many standard errors one of `count` means may be off, so that all of them hold as often as one would."""
    return float(-ndtri(ndtr(-ERRORS) / count))


def verdict(found: Cells, protocol: Start) -> list[Claim]:
    """One claim for each kind of linear networks: its S has the expected value in every cell. Where the tail is heavy
    and a mean misses by more, but within its standard errors, it is not known."""
    most = allowed_errors(protocol.linear_count)
    claims = []
    for kind in protocol.kinds:
        own = [cell["rescaling"] for cell in found if (cell["kind"], cell["activation"]) == (kind, "linear")]
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


def nonlinear_verdict(found: Cells, protocol: Start) -> list[Claim]:
    """One claim for each other activation: the widest networks of all kinds without a heavy tail are like infinitely
    wide ones, up to corrections of the order of L/N. Measured: how many standard errors a mean is beyond these."""
    cells, width = by_cell(found), protocol.widths[-1]
    own = [place for place in protocol.cells.values() if place.width == width and not KINDS[place.kind].heavy]
    own = [place for place in own if place.activation in protocol.nonlinear]
    most = allowed_errors(max(1, 2 * len(own)))
    claims = []
    for name in protocol.nonlinear:
        places = [place for place in own if place.activation == name]
        misses = [
            _beyond(cells[place][what], place.depth / width)
            for place in places
            for what in ("growth", "rescaling")
            if place in cells
        ]
        kept = max(misses) <= most if len(misses) == 2 * len(places) else None
        text = (
            f"{name}, N = {width}: growth and tr S / K are those of infinite width, within L/N and {most:.1f} standard "
            "errors"
        )
        claims.append(Claim(text, max(misses, default=None), kept))
    return claims


def _beyond(told: dict[str, float], share: float) -> float:
    miss = abs(told["mean"] - told["expected"]) - share * told["expected"]
    return max(0.0, miss / max(told["error"], 1e-12 * told["expected"]))


STUDIES = {
    "forward-pass": Study(
        "Forward pass",
        "how the rescaling S and activities grow with width and depth, against their expected values",
        "the limits paper (arXiv 2602.07697); docs/theory.md 4.3 and 4.5",
        FORWARD,
        FORWARD._replace(widths=(16, 64), depths=(4, 16), seeds=20, activations=("linear", "tanh", "relu")),
        report,
    )
}
