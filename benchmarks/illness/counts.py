"""How many planted illnesses are named, and how many sound networks are left in peace."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scipy.stats import binomtest

from benchmarks.illness.suite import ALIKE, POINTS, Case
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.verdict import Diagnosis, diagnose


class Told(NamedTuple):
    """A case that counts: what its plants cost in points, and what the diagnosis says of it."""

    case: Case
    cost: float
    diagnosis: Diagnosis

    @property
    def planted(self) -> tuple[str, ...]:
        """The causes planted."""
        return tuple(cause for cause, _ in self.case.plants)

    @property
    def found(self) -> tuple[str, ...]:
        """The causes named, the worst first."""
        return tuple(finding.id for finding in self.diagnosis.causes)

    @property
    def detected(self) -> bool:
        """Whether it is called ill."""
        return self.diagnosis.severity == "FAIL"

    @property
    def right(self) -> bool:
        """Whether the cause planted is named first, both of two are named, or a sound network is not called ill."""
        if len(self.planted) == 1:
            return self.found[:1] == self.planted
        return set(self.planted) <= set(self.found) if self.planted else not self.detected


class Count(NamedTuple):
    """So many of all, and the Clopper-Pearson interval of the share, at 95 per cent."""

    good: int
    all: int

    @property
    def interval(self) -> tuple[float, float]:
        """The lowest and the highest share that so many of all do not exclude."""
        found = binomtest(self.good, self.all).proportion_ci(method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        if not self.all:
            return "none"
        low, high = (100 * share for share in self.interval)
        return f"{self.good} of {self.all} ({100 * self.good / self.all:.1f} %, {low:.1f} to {high:.1f} %)"


def told(found: Sequence[tuple[Case, Evidence]]) -> list[Told]:
    """The cases that count: sound networks, as good as their base, and ill ones, which lose enough to it."""
    scores = {case.name: evidence.score("own") for case, evidence in found}
    counted = []
    for case, evidence in found:
        if case.base not in scores:
            continue
        cost = float(scores[case.base] - max(scores[case.name], evidence.baseline("chance")))
        if cost >= POINTS if case.plants else cost < ALIKE:
            counted.append(Told(case, cost, diagnose(evidence)))
    return counted


def kinds(cases: Iterable[Told]) -> dict[str, tuple[Count, Count]]:
    """For sound networks, those with one cause and with two: how many are told right, and how many called ill."""
    names = ("sound", "one cause", "two causes")
    grouped: dict[str, list[Told]] = {name: [] for name in names}
    for case in cases:
        grouped[names[len(case.planted)]].append(case)
    return {
        name: (Count(sum(c.right for c in group), len(group)), Count(sum(c.detected for c in group), len(group)))
        for name, group in grouped.items()
    }


def confusion(cases: Iterable[Told]) -> Counter[tuple[str, str]]:
    """(the cause planted, the cause named first) -> cases with one cause, and sound ones; "none" where nothing is."""
    return Counter(
        (told.planted[0] if told.planted else "none", told.found[0] if told.found and told.detected else "none")
        for told in cases
        if len(told.planted) < 2
    )


def summary(cases: Sequence[Told]) -> str:
    """The counts, and each case that is not told right."""
    lines = [f"{name}: right {right}, called FAIL {ill}" for name, (right, ill) in kinds(cases).items()]
    wrong = [
        f"{told.case.name} (costs {told.cost:.1f}): {told.diagnosis.severity} {' '.join(told.found) or 'nothing'}"
        for told in cases
        if not told.right
    ]
    return "\n".join([*lines, *wrong])
