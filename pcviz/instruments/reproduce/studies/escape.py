"""Escape from the saddle at the origin (arXiv 2408.11979; theory.md 4.7): inference makes it strict at every depth, so
that predictive coding leaves it in a time that hardly depends on how small the weights are, and backpropagation in one
that grows as their inverse power H - 1."""

import math
from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment.looks import Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.judging import NOTHING, above, claimed, curve_of
from pcviz.instruments.reproduce.statistics import Exponent, Mean, fit, mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

RULES = {"bp": "backprop", "pc": "PC, 20 steps of 0.1", "equilibrium": "PC at equilibrium"}
LEARNING_RATE, ESCAPED = 0.4, 0.25
"""A chain has escaped when its loss is below this; at the origin it is 0.505."""
OFF = 0.25
"""By how much the exponent of backpropagation may miss H - 1."""
FLAT = 0.5
"""Most that the exponent of PC may be: less than of any power of the weights' size that a flat saddle would give."""
PUBLISHED = {("bp", 2): 70.0, ("pc", 2): 27.5}
"""Updates in the paper's figure (chains of two hidden units, one start of size 0.05), read off."""
SHOWN = 0.05
"""The size of the starts there."""


class Chains(NamedTuple):
    """Chains with `hidden` units of one size of start that learn by one rule, all seeds at once."""

    rule: str
    hidden: int
    start: float

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.rule} H={self.hidden} start {self.start:g}"


class Escape(NamedTuple):
    """Chains of scalars with `hidden` units that learn y = -x from weights start · N(0, 1), the same draws for every
    size of start, for at most `cap` updates, by PC `pc_cap`."""

    hidden: tuple[int, ...] = (1, 2, 3)
    starts: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    seeds: int = 10
    cap: int = 300_000
    pc_cap: int = 10_000

    def most(self, rule: str) -> int:
        """Most updates."""
        return self.cap if rule == "bp" else self.pc_cap

    @property
    def cells(self) -> dict[str, Chains]:
        """The groups of chains by name, short ones first."""
        cells = [Chains(rule, h, start) for h, start, rule in product(self.hidden, self.starts, RULES)]
        return {cell.name: cell for cell in cells}

    @property
    def parts(self) -> Parts:
        """Seconds that each group adds: backpropagation from small weights takes almost all."""
        return {name: 0.02 + self._seconds(cell) for name, cell in self.cells.items()}

    def _seconds(self, cell: Chains) -> float:
        late = 250 * (0.05 / cell.start) ** (cell.hidden - 1) * 12 ** (cell.hidden - 2) if cell.rule == "bp" else 0.0
        return min(self.cap, 4 * late) * 4.5e-5


def report(found: Cells, protocol: Escape) -> Report:
    """Updates until chains have escaped, against depth and against the size of the start; the verdict."""
    counts = {(cell["rule"], cell["hidden"], cell["start"]): cell["updates"] for cell in found}
    shown = SHOWN if SHOWN in protocol.starts else protocol.starts[0]
    charts = [
        Chart(
            f"Escape against depth, starts of {shown:g}",
            "hidden units H",
            "updates",
            protocol.hidden,
            [_over_depth(rule, shown, counts, protocol) for rule in RULES],
            "Updates until the loss is half of that at the saddle: geometric means over seeds with 95 % intervals. "
            "Open circles: read off the paper's figure, one start.",
            log_y=True,
        ),
        *(
            Chart(
                f"Escape against the size of the start, H = {hidden}",
                "size of the start",
                "updates",
                protocol.starts,
                [curve_of(RULES[rule], [_mean(rule, hidden, s, counts) for s in protocol.starts]) for rule in RULES],
                "A straight line is a power law. Backpropagation: start to the power 1 - H.",
                log_x=True,
                log_y=True,
            )
            for hidden in protocol.hidden
        ),
    ]
    how = (
        f"chains of scalars that learn y = -x, rate {LEARNING_RATE:g}, at most {protocol.cap:,} updates; "
        f"{protocol.seeds} seed(s)"
    )
    return Report(charts, verdict(found, protocol), how)


def _mean(rule: str, hidden: int, start: float, counts: dict[Any, list[int | None]]) -> Mean:
    """Updates of the chains; nothing where one was stopped at the cap."""
    seen = counts.get((rule, hidden, start))
    return NOTHING if seen is None or None in seen else mean([float(n) for n in seen if n is not None], log=True)


def _over_depth(rule: str, start: float, counts: dict[Any, list[int | None]], protocol: Escape) -> Curve:
    published = [PUBLISHED.get((rule, hidden), math.nan) for hidden in protocol.hidden]
    known = published if start == SHOWN and any(map(math.isfinite, published)) else ()
    stopped = [
        float(protocol.most(rule)) if None in counts.get((rule, h, start), ()) else math.nan for h in protocol.hidden
    ]
    return curve_of(RULES[rule], [_mean(rule, hidden, start, counts) for hidden in protocol.hidden], stopped, known)


def _exponent(rule: str, hidden: int, counts: dict[Any, list[int | None]], protocol: Escape) -> Exponent | None:
    """p of updates = c start^-p, one c for each seed that escaped from every start; None until all are there."""
    rows = [counts.get((rule, hidden, start), []) for start in protocol.starts]
    if not all(rows):
        return None
    seeds = [seed for seed in range(protocol.seeds) if all(row[seed] for row in rows)]
    points = [(1 / start, row[seed], seed) for start, row in zip(protocol.starts, rows, strict=True) for seed in seeds]
    return fit(*zip(*points, strict=True)) if seeds else None


def verdict(found: Cells, protocol: Escape) -> list[Claim]:
    """The claims with what was measured; `kept` is None while something is missing."""
    counts = {(cell["rule"], cell["hidden"], cell["start"]): cell["updates"] for cell in found}
    claims = []
    for hidden in protocol.hidden:
        if hidden > 1:
            law = _exponent("bp", hidden, counts, protocol)
            text = f"H = {hidden}: backprop's updates grow as (1/start)^p, p = {hidden - 1} ± {OFF:g}"
            claims.append(_judged(text, law, lambda p, hidden=hidden: abs(p - hidden + 1) <= OFF))
        law = _exponent("equilibrium", hidden, counts, protocol)
        text = f"H = {hidden}: PC's updates grow as (1/start)^p, p at most {FLAT:g}"
        claims.append(_judged(text, law, lambda p: p <= FLAT))
    claims.append(_strict(found, protocol))
    claims.append(_widening(counts, protocol))
    return claims


def _judged(text: str, law: Exponent | None, keeps: Any) -> Claim:
    return Claim(text, None, None) if law is None else Claim(text, law.value, keeps(law.value), law.interval)


def _strict(found: Cells, protocol: Escape) -> Claim:
    """That the least curvature at the origin is -s for F*, and 0 for the loss of deep chains."""
    own = [cell for cell in found if cell["hidden"] > 1]
    off = [cell["curvature"] - (0.0 if cell["rule"] == "bp" else -cell["power"]) for cell in own]
    whole = len(found) == len(protocol.cells)
    missed = max(map(abs, off), default=None)
    text = "H > 1: the least curvature at the origin is -<x²> for F* and 0 for the loss (largest difference)"
    return Claim(text, missed, missed < 1e-9 if whole and missed is not None else None)


def _widening(counts: dict[Any, list[int | None]], protocol: Escape) -> Claim:
    """That the advantage of PC grows with every hidden unit: the least growth of backprop's updates over PC's."""
    text = "the ratio of backprop's updates to PC's grows with every hidden unit (least factor)"
    growths = []
    for before, after in zip(protocol.hidden, protocol.hidden[1:], strict=False):
        ratios = []
        for hidden in (before, after):
            slow, fast = (counts.get((rule, hidden, protocol.starts[0])) for rule in ("bp", "equilibrium"))
            if slow is None or fast is None:
                return Claim(text, None, None)
            ratios.append([(a or protocol.cap) / (b or protocol.pc_cap) for a, b in zip(slow, fast, strict=True)])
        growths.append(mean([b / a for a, b in zip(*ratios, strict=True)], log=True))
    least = min(growths, key=lambda growth: growth.middle)
    return claimed(text, least, above(least, 1.0))


STUDIES = {
    "escape": Study(
        "Escape from saddles",
        "how long backprop and PC take to leave the saddle at the origin, by depth and size of the start",
        "arXiv 2408.11979, figure 2; thesis (arXiv 2510.23323)",
        Escape(),
        Escape(hidden=(1, 2, 3), starts=(0.1, 0.05, 0.025), seeds=5, cap=100_000),
        report,
    )
}
