"""The stable family: which parameterisations of linear residual networks are stable and learn features at any width and
depth, and whether they are the same for PC and BP (theory.md 2.5)."""

import math
from itertools import product
from typing import NamedTuple

import numpy as np

from pcviz.experiment.family import (
    CLASSES,
    MEMBERS,
    QUANTITIES,
    RULES,
    ZERO,
    Size,
    class_of,
    depth_exponents,
    log_expected,
    slopes,
    width_exponents,
)
from pcviz.experiment.looks import PROGRAM_SECONDS, Parts
from pcviz.instruments.charts import Chart, Curve
from pcviz.instruments.reproduce.statistics import mean
from pcviz.instruments.reproduce.study import Cells, Claim, Report, Study

RICH = CLASSES.index("stable, feature-learning")
LAZY, DAMPED = "lazy", 1.0
"""In this member PC's update of the output falls with depth by one power more than BP's (S grows as L)."""
TITLES = {"forward": "Activities", "update": "Update of the output", "features": "Update of features"}
STEEP = 3.0
"""Greatest exponent that charts show: with L, some quantities grow exponentially."""


class Family(NamedTuple):
    """Networks of `widths` at the depth `shallow`, and of `depths` at the width `wide`."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    shallow: int = 8
    depths: tuple[int, ...] = (16, 32, 64)
    wide: int = 512
    seeds: tuple[int, ...] = tuple(range(10))
    members: tuple[str, ...] = tuple(MEMBERS)

    @property
    def paths(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Width and depth of the networks from which exponents in N follow, and in L."""
        return [(n, self.shallow) for n in self.widths], [(self.wide, depth) for depth in self.depths]

    @property
    def cells(self) -> dict[str, Size]:
        """The networks by name; all of a seed before the next one."""
        sizes = [Size(*size, seed) for seed, path in product(self.seeds, self.paths) for size in path]
        return {size.name: size for size in sizes}

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds; the first of a shape compiles for all its seeds."""
        return {
            name: 0.02
            + 1.1e-8 * cell.depth * cell.width**2 * (5 + len(self.members))
            + (PROGRAM_SECONDS if cell.seed == self.seeds[0] else 0.0)
            for name, cell in self.cells.items()
        }


def report(found: Cells, protocol: Family) -> Report:
    """Exponents of every member by both rules, and the verdict."""
    seen = exponents(found, protocol)
    how = (
        "linear residual networks from the feedforward start, one small weight step, PC at the closed-form "
        f"equilibrium, float64, {len(protocol.seeds)} seeds; exponents in N at L = {protocol.shallow}, in L at "
        f"N = {protocol.wide}; "
        f"what counts as zero: {ZERO[0]:g} in N, {ZERO[1]:g} in L"
    )
    classes = {
        name: {rule: _named(seen[place, of]) for of, rule in enumerate(RULES)}
        for place, name in enumerate(protocol.members)
    }
    parts = {"classes": classes, "derived": {name: _limits(name, protocol) for name in protocol.members}}
    return Report(_charts(seen, protocol), verdict(seen, protocol), how, parts)


def exponents(found: Cells, protocol: Family) -> np.ndarray:
    """Exponents of every member (members, RULES, N and L, QUANTITIES, seeds), NaN where something is missing."""
    known = {(cell["width"], cell["depth"], cell["seed"]): cell["members"] for cell in found}
    missing = np.full((len(RULES), len(QUANTITIES)), np.nan)
    seen = np.full((len(protocol.members), len(RULES), 2, len(QUANTITIES), len(protocol.seeds)), np.nan)
    for axis, path in enumerate(protocol.paths):
        sizes = np.log([size[axis] for size in path])
        for (place, name), (nth, seed) in product(enumerate(protocol.members), enumerate(protocol.seeds)):
            values = [known[*size, seed][name] if (*size, seed) in known else missing for size in path]
            with np.errstate(invalid="ignore"):
                seen[place, :, axis, :, nth] = slopes(sizes, np.moveaxis(np.log(values), 0, -1))
    return seen


def derived(name: str, protocol: Family) -> np.ndarray:
    """Exponents expected of these sizes, (RULES, N and L, QUANTITIES)."""
    member, rows = MEMBERS[name].member, []
    for pc in range(len(RULES)):
        for axis, path in enumerate(protocol.paths):
            width, depth = np.array(path).T
            logs = log_expected(member, width, depth, pc=bool(pc))
            rows.append(slopes(np.log([width, depth][axis]), logs))
    return np.array(rows).reshape(len(RULES), 2, len(QUANTITIES))


def _limits(name: str, protocol: Family) -> dict[str, str]:
    """The class of a member in the limit of large N, then L, by rule."""
    member, found = MEMBERS[name].member, {}
    for pc, rule in enumerate(RULES):
        at = [width_exponents(member, protocol.shallow - 2, pc=bool(pc)), depth_exponents(member, pc=bool(pc))]
        found[rule] = CLASSES[int(class_of(np.array(at)))]
    return found


def _named(seen: np.ndarray) -> str | None:
    """The class of a member by a rule, from exponents (N and L, QUANTITIES, seeds); None where an interval does not
    decide it."""
    ends = np.array([[mean(list(of)) for of in row] for row in seen])
    if np.isnan(ends).any():
        return None
    possible = {int(class_of(ends[..., part])) for part in range(ends.shape[-1])}
    return CLASSES[possible.pop()] if len(possible) == 1 else None


def _charts(seen: np.ndarray, protocol: Family) -> list[Chart]:
    labels = [MEMBERS[name].label for name in protocol.members]
    known = np.array([derived(name, protocol) for name in protocol.members])
    charts = []
    for quantity, (axis, size) in product(TITLES, enumerate("NL")):
        at, curves = QUANTITIES.index(quantity), []
        for of, rule in enumerate(RULES):
            told = np.array([mean(list(member)) for member in seen[:, of, axis, at]])
            steep = told[:, 0] > STEEP
            middle, low, high = np.where(steep[:, None], np.nan, told).T
            expected = known[:, of, axis, at]
            reference = np.where(expected > STEEP, np.nan, expected)
            curves.append(Curve(rule, middle, low, high, list(np.where(steep, STEEP, np.nan)), list(reference)))
        charts.append(
            Chart(
                f"{TITLES[quantity]}: exponent of {size}",
                "",
                f"exponent of {size}",
                labels,
                curves,
                "Means over seeds with 95 % intervals; open circles: derived for these sizes, not the paper's table. "
                f"A triangle at {STEEP:g}: steeper, or exponential.",
                joined=False,
                reference="derived",
            )
        )
    return charts


def verdict(seen: np.ndarray, protocol: Family) -> list[Claim]:
    """The claims; not known where something is missing or an interval does not decide."""
    named = [[_named(rule) for rule in member] for member in seen]
    sets = [[None if name is None else name == CLASSES[RICH] for name in pair] for pair in named]
    whole = not np.isnan(seen).any()
    unlike = sum(bp is not None and pc is not None and bp != pc for bp, pc in sets)
    open_ = sum(None in pair for pair in sets)
    both = [place for place, pair in enumerate(sets) if all(pair)]
    same = None if not whole or (open_ and not unlike) else not unlike and bool(both)
    wrong = [
        name != _limits(member, protocol)[rule]
        for member, pair in zip(protocol.members, named, strict=True)
        for rule, name in zip(RULES, pair, strict=True)
        if name is not None
    ]
    fits = False if any(wrong) else None if not whole or len(wrong) < 2 * len(named) else True
    return [
        Claim(
            f"the members that are stable and learn features are the same for PC and BP (of {len(named)}, not so)",
            float(unlike) if whole else None,
            same,
            (float(unlike), float(unlike + open_)) if whole else None,
        ),
        _apart(seen, both, whole),
        Claim(
            f"every member is as derived: unstable, lazy or learning (of {2 * len(named)} cases, not so)",
            float(sum(wrong)) if whole else None,
            fits,
        ),
        _damped(seen, protocol),
    ]


def _apart(seen: np.ndarray, both: list[int], whole: bool) -> Claim:
    """Within the set, exponents of PC and BP are equal."""
    text = (
        f"there, exponents of PC and BP differ by less than {ZERO[0]:g} in N and {ZERO[1]:g} in L, as a share of that"
    )
    if not whole or not both:
        return Claim(text, None, None)
    gaps = (seen[both, 1] - seen[both, 0]) / np.array(ZERO)[:, None, None]
    told = [mean(list(gap)) for gap in gaps.reshape(-1, gaps.shape[-1])]
    widest = max(told, key=lambda one: abs(one.middle))
    low, high = sorted((abs(widest.low), abs(widest.high)))
    kept = True if high < 1 else False if low > 1 and widest.low * widest.high > 0 else None
    return Claim(text, abs(widest.middle), kept, (low if widest.low * widest.high > 0 else 0.0, high))


def _damped(seen: np.ndarray, protocol: Family) -> Claim:
    """Outside of it they may differ."""
    text = f"derived, {MEMBERS[LAZY].label}: with L, PC's update of the output falls by {DAMPED:g} power more than BP's"
    pair = seen[protocol.members.index(LAZY), :, 1, QUANTITIES.index("update")]
    told = mean(list(pair[0] - pair[1]))
    if math.isnan(told.low):
        return Claim(text, None, None)
    inside, most = abs(told.middle - DAMPED) <= ZERO[0], (DAMPED - ZERO[0], DAMPED + ZERO[0])
    kept = inside or (None if told.low <= most[1] and told.high >= most[0] else False)
    return Claim(text, told.middle, kept, (told.low, told.high))


STUDIES = {
    "stable-family": Study(
        "Stable family",
        "which parameterisations stay stable and learn features as networks grow, by PC and by BP",
        "the limits paper (arXiv 2602.07697), its claim on linear residual networks; docs/theory.md 2.5",
        Family(),
        Family(widths=(64, 128, 256, 512), wide=256, seeds=tuple(range(6))),
        report,
    )
}
