"""Which planted illnesses are named and cured, and which sound networks are left in peace."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scipy.stats import binomtest

from benchmarks.illness.archive import Measured
from benchmarks.illness.suite import ALIKE, POINTS, Case
from pcviz.instruments.diagnosis.attempts import Attempt, next_remedy
from pcviz.instruments.diagnosis.verdict import Diagnosis, diagnose

KINDS = ("sound", "one cause", "two causes")


class Told(NamedTuple):
    """A case that counts: what its plants cost in points, what the diagnosis says of it, and how many points its base
    makes; what the remedies bring, if they were tried."""

    case: Case
    cost: float
    diagnosis: Diagnosis
    base: float
    attempts: list[Attempt]

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

    @property
    def remedy(self) -> bool:
        """Whether it is ill and a remedy is offered."""
        return bool(self.planted) and next_remedy(self.case.experiment, self.diagnosis, []) is not None

    @property
    def cured(self) -> bool:
        """Whether the remedies bring it as far as its base, but for ALIKE points."""
        return bool(self.attempts) and self.attempts[-1].score >= self.base - ALIKE


class Count(NamedTuple):
    """So many of all, and the Clopper-Pearson interval of the share, at 95 per cent."""

    good: int
    all: int

    @property
    def interval(self) -> tuple[float, float]:
        """The lowest and the highest share that so many of all do not exclude."""
        found = binomtest(self.good, self.all).proportion_ci(method="exact")
        return float(found.low), float(found.high)

    @property
    def share(self) -> float:
        """The share itself; 1 of none."""
        return self.good / self.all if self.all else 1.0

    def __str__(self) -> str:
        if not self.all:
            return "none"
        low, high = (100 * share for share in self.interval)
        return f"{self.good} of {self.all} ({100 * self.share:.1f} %, {low:.1f} to {high:.1f} %)"


def count(cases: Iterable[bool]) -> Count:
    """How many of these are so."""
    found = list(cases)
    return Count(sum(found), len(found))


def told(found: Sequence[Measured]) -> list[Told]:
    """The cases that count: sound networks, as good as their base, and ill ones, which lose enough to it; of two plants
    each has to cost enough alone."""
    by_name = {measured.case.name: measured.evidence for measured in found}

    def cost(case: Case) -> float:
        if case.base not in by_name or case.name not in by_name:
            return float("nan")
        base, evidence = by_name[case.base], by_name[case.name]
        return float(base.score("own") - max(evidence.score("own"), evidence.baseline("chance")))

    def counts(case: Case) -> bool:
        if case.plants:
            return cost(case) >= POINTS and all(cost(single) >= POINTS for single in case.singles)
        return cost(case) < ALIKE

    return [
        Told(case, cost(case), diagnose(evidence), by_name[case.base].score("own"), attempts)
        for case, evidence, attempts in found
        if counts(case)
    ]


def of_kind(cases: Iterable[Told], kind: str) -> list[Told]:
    """Sound networks, those with one cause, or those with two."""
    return [told for told in cases if len(told.planted) == KINDS.index(kind)]


def confusion(cases: Iterable[Told]) -> Counter[tuple[str, str]]:
    """(the cause planted, the cause named first) -> cases with one cause, and sound ones; "none" where nothing is."""
    return Counter(
        (told.planted[0] if told.planted else "none", told.found[0] if told.found and told.detected else "none")
        for told in cases
        if len(told.planted) < 2
    )
