"""The condition number of inference at the start, over width and depth (theory.md 4.4)."""

import math
from itertools import product
from typing import Any

from pcviz.experiment.activations import ACTIVATIONS
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import NOTHING, claimed, within
from pcviz.instruments.reproduce.statistics import Mean, fit
from pcviz.instruments.reproduce.studies.start import (
    CONDITIONING,
    KINDS,
    Cell,
    Start,
    by_cell,
    curve_over,
    orthogonal_curvatures,
    over_activations,
    over_depth,
)
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
DEEP = "mupc_skips"
"""The kind that is made for depth."""
PUBLISHED = {
    "uniform": {"linear": 42.12, "tanh": 41.92, "relu": 15.80},
    "uniform_skips": {"linear": 45765.0, "tanh": 534.3, "relu": 9763.0},
    "mupc_skips": {"linear": 1918.0, "tanh": 1344.0, "relu": 1345.0},
}
"""Condition numbers of single networks with one input and one target, N = 128, L = 16, by kind and activation: printed
in the notebook experiments/mupc_paper/toy_experiments.ipynb of thebuckleylab/jpc, under "Inference landscape slices of
deep & wide MLPs"."""
TIMES = 2.0
"""Those of other seeds differ by at most this factor where φ'' = 0: published are eigenvalues of the full Hessian."""


def report(found: Cells, protocol: Start) -> Report:
    """κ against width, depth and activation, exponents in the number of hidden layers, and the verdict."""
    exponents = {kind: _exponent(kind, "linear", found) for kind in protocol.kinds}
    nonlinear = {name: _exponent(DEEP, name, found) for name in protocol.nonlinear}
    how = (
        "activity Hessians (Gauss-Newton) of networks at the start, linear if no activation is named, float64; "
        f"geometric means over {protocol.seeds} seed(s), and over {protocol.examples} digits where they are not linear"
    )
    charts = [*over_depth(found, protocol, _read, CHART), _laws(exponents, protocol)]
    if protocol.nonlinear:
        charts += [over_activations(found, protocol, _read, CHART), _by_activation(found, protocol)]
    if protocol.scalars:
        charts.append(_beside(found, protocol))
    claims = [*verdict(found, exponents, protocol), *nonlinear_verdict(found, nonlinear, protocol)]
    return Report(charts, claims, how, {"exponents": exponents, "exponents_by_activation": nonlinear})


def _exponent(kind: str, activation: str, found: Cells) -> dict[str, Any] | None:
    own = [cell for place, cell in by_cell(found).items() if (place.kind, place.activation) == (kind, activation)]
    own = [cell for cell in own if not cell["scalar"]]
    hidden, widths = [cell["depth"] - 1 for cell in own], [cell["width"] for cell in own]
    law = fit(hidden, [cell["condition"] for cell in own], widths)
    return None if law is None else {"value": law.value, "interval": law.interval}


def _by_activation(found: Cells, protocol: Start) -> Chart:
    width = protocol.widths[-1]
    curves = [
        curve_over(name, [Cell(DEEP, width, depth, name) for depth in protocol.depths], found, _read)
        for name in protocol.activations
    ]
    return CHART._replace(
        title=f"Condition number κ by activation, {KINDS[DEEP].label}, N = {width}",
        x="depth L",
        places=protocol.depths,
        curves=curves,
        log_x=True,
    )


def _beside(found: Cells, protocol: Start) -> Chart:
    names = list(dict.fromkeys(place.activation for place in protocol.scalars))
    curves = []
    for kind in dict.fromkeys(place.kind for place in protocol.scalars):
        own = [place for place in protocol.scalars if place.kind == kind]
        curve = curve_over(KINDS[kind].label, own, found, _read)
        curves.append(curve._replace(reference=[PUBLISHED[kind][name] for name in names]))
    return CHART._replace(
        title="Condition number κ beside the published, N = 128, L = 16",
        places=names,
        curves=curves,
        help="Networks with one input and one target, both 1. Open circles: the published networks, one of each, by "
        "their full Hessian, which with tanh need not be positive.",
        joined=False,
        reference="published",
    )


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
    if (cell["kind"], cell["activation"]) == ("orthogonal", "linear"):
        least, greatest = orthogonal_curvatures(cell["depth"] - 1)
        known = greatest / least
    return cell["condition"], cell["least"], cell["greatest"], known


def verdict(found: Cells, exponents: dict[str, Any], protocol: Start) -> list[Claim]:
    """The claims on linear networks with what was measured: `kept` is None while something is missing."""
    own = {place: cell for place, cell in by_cell(found).items() if place.activation == "linear" and not place.scalar}
    table = {(place.kind, place.width, place.depth): cell["condition"] for place, cell in own.items()}
    whole = len(table) == protocol.linear_count
    misses = []
    for width in protocol.widths:
        for depth in protocol.depths:
            if (seen := table.get(("orthogonal", width, depth))) is not None:
                least, greatest = orthogonal_curvatures(depth - 1)
                misses.append(abs(seen / (greatest / least) - 1))
    law = exponents.get(DEEP)
    spread = _spread("linear", found, protocol)
    deepest = protocol.depths[-1]
    worse = [
        table[kind, n, deepest] / table[DEEP, n, deepest]
        for kind in ("lecun_skips", "uniform_skips")
        for n in protocol.widths
        if (kind, n, deepest) in table and (DEEP, n, deepest) in table
    ]
    label = KINDS[DEEP].label

    def judged(text: str, seen: float | None, kept: bool, interval: Any = None) -> Claim:
        return Claim(text, seen, kept if whole and seen is not None else None, interval)

    missed, lowest = max(misses, default=None), min(worse, default=None)
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


def _spread(activation: str, found: Cells, protocol: Start) -> float | None:
    """The greatest factor between condition numbers of the deep kind that differ in width alone."""
    seen = {place: cell["condition"] for place, cell in by_cell(found).items()}
    rows = [[seen.get(Cell(DEEP, n, depth, activation)) for n in protocol.widths] for depth in protocol.depths]
    known = [[value for value in row if value is not None] for row in rows]
    return max((max(row) / min(row) for row in known if len(row) > 1), default=None)


def nonlinear_verdict(found: Cells, exponents: dict[str, Any], protocol: Start) -> list[Claim]:
    """The claims on other activations, and on published networks: not known while networks of theirs are missing."""
    cells, label = by_cell(found), KINDS[DEEP].label
    shapes = list(product(protocol.widths, protocol.depths))
    whole = {name for name in protocol.nonlinear if all(Cell(DEEP, *shape, name) in cells for shape in shapes)}
    claims = []
    for name in protocol.nonlinear:
        law = exponents[name] if name in whole else None
        seen = NOTHING if law is None else Mean(law["value"], *(law["interval"] or (math.nan, math.nan)))
        kept = within(seen, least=SQUARE - SQUARE_OFF, most=SQUARE + SQUARE_OFF)
        claims.append(claimed(f"{name}, {label}: κ grows as H^p, p = {SQUARE:g} ± {SQUARE_OFF:g}", seen, kept))
    if protocol.nonlinear:
        spreads = [_spread(name, found, protocol) for name in protocol.nonlinear]
        known = [spread for spread in spreads if spread is not None]
        text = f"other activations, {label}: κ differs by at most {ALIKE:g} times between widths"
        kept = max(known) <= ALIKE if known and whole == set(protocol.nonlinear) else None
        claims.append(Claim(text, max(known, default=None), kept))
    if protocol.scalars:
        alike = [place for place in protocol.scalars if ACTIVATIONS[place.activation].piecewise_linear]
        ratios = [
            cells[place]["condition"] / PUBLISHED[place.kind][place.activation] for place in alike if place in cells
        ]
        times = [max(ratio, 1 / ratio) for ratio in ratios]
        names = ", ".join(dict.fromkeys(place.activation for place in alike))
        text = f"{names}: κ differs by at most {TIMES:g} times from that of published networks (one of each)"
        kept = max(times) <= TIMES if len(times) == len(alike) else None
        claims.append(Claim(text, max(times, default=None), kept))
    return claims


STUDIES = {
    "conditioning": Study(
        "Conditioning",
        "how ill-conditioned inference is at the start, over width and depth",
        "μPC (arXiv 2505.13124), appendix; docs/theory.md 4.4",
        CONDITIONING,
        CONDITIONING._replace(
            widths=(16, 64),
            depths=(3, 9, 33),
            seeds=1,
            activations=("linear", "tanh", "relu"),
            at_all_sizes=("mupc_skips", "ntp_skips"),
            scalars=(),
        ),
        report,
    )
}
