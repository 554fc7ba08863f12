"""Which run computes next, for how long, and how often it reports: decisions only, no clock and no database."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

FRAME_SECONDS = 0.1
FRAME_BUDGET = 64_000_000
CHECKPOINT_SECONDS, MOST_CHECKPOINT_SECONDS = 2.0, 15.0
"""Compute seconds between checkpoints. The maximum leaves time to write one, so that a kill costs 30 s at most."""
RUNS_PER_EXTRA = 7.0
"""An owner's training runs together get this many times the compute of the owner's extras together. Frames and cache
misses of an extra cost time too; beside one, training keeps more than four fifths of its speed."""
HEAD_START = 1.2
"""Compute seconds that a new extra may use at once, so that its first figure appears soon."""


@dataclass(frozen=True)
class Candidate:
    """A run that could compute now, and its owner; `extra` if it is not training but a plane, a relaxation, ...."""

    run: str
    owner: str
    extra: bool = False


def slice_seconds(active: int) -> float:
    """Seconds that one of `active` runs computes at a time: half a second divided by `active`, within 10 to 100 ms."""
    return min(0.1, max(0.01, 0.5 / max(active, 1)))


def frame_interval(base: float, used: int, budget: int = FRAME_BUDGET) -> float:
    """Seconds between frames: `base`, doubled each time that half of the remaining bytes has been used.

    Each half then lasts as long as the half before it, so the budget is never spent and nothing is deleted.
    """
    left = max(1, budget - used) / budget
    doublings = 0
    while left <= 0.5:
        left, doublings = left * 2, doublings + 1
    return base * 2.0**doublings


def checkpoint_interval(last_write: float) -> float:
    """Seconds of compute between checkpoints when the last one took `last_write` seconds to write."""
    return min(max(CHECKPOINT_SECONDS, 20.0 * last_write), MOST_CHECKPOINT_SECONDS)


class Ledger:
    """Fair shares of compute time: between owners, then between training and extras (7 : 1), then between runs.

    On each level the one that has used the least time is next. One that joins or rejoins starts with the least time
    of the others, so waiting earns no credit and a newcomer does not hold up the others.
    """

    def __init__(self) -> None:
        self._used: dict[Hashable, float] = {}
        self._present: dict[Hashable, frozenset[Hashable]] = {}

    def next(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """The candidate that computes next; None without candidates."""
        if not candidates:
            return None
        owner = self._least("owners", (c.owner for c in candidates))
        within = [c for c in candidates if c.owner == owner]
        self._let_start(within)
        extra = self._least((owner, "groups"), ((owner, c.extra) for c in within))
        group = [c for c in within if (c.owner, c.extra) == extra]
        run = self._least((owner, "runs", extra), (c.run for c in group))
        return next(c for c in group if c.run == run)

    def charge(self, candidate: Candidate, seconds: float) -> None:
        """Record that a candidate computed for `seconds`."""
        share = seconds if candidate.extra else seconds / RUNS_PER_EXTRA
        group = (candidate.owner, candidate.extra)
        for key, used in ((candidate.owner, seconds), (group, share), (candidate.run, seconds)):
            self._used[key] = self._used.get(key, 0.0) + used

    def _let_start(self, candidates: Iterable[Candidate]) -> None:
        """Give an owner's extras a head start for each new extra among the candidates, and the new one this start."""
        for new in [c for c in candidates if c.extra and c.run not in self._used]:
            extras, trainings = (new.owner, True), (new.owner, False)
            self._let_in((new.owner, "groups"), extras, instead=trainings)
            self._let_in((new.owner, "runs", extras), new.run)

    def _let_in(self, level: Hashable, key: Hashable, instead: Hashable = None) -> None:
        """Let one of a level have used HEAD_START less than it has, or if it is new, than `instead` or the least of the
        others."""
        before = self._present.get(level, frozenset())
        others = [self._used.get(other, 0.0) for other in ([instead] if instead is not None else before)]
        self._used[key] = (self._used.get(key, 0.0) if key in before else min(others, default=0.0)) - HEAD_START
        self._present[level] = before | {key}

    def _least(self, level: Hashable, keys: Iterable[Hashable]) -> Hashable:
        present = list(dict.fromkeys(keys))
        before = self._present.get(level, frozenset())
        stayed = [self._used.get(key, 0.0) for key in present if key in before]
        floor = min(stayed, default=0.0)
        for key in present:
            if key not in before:
                self._used[key] = max(self._used.get(key, 0.0), floor)
        self._present[level] = frozenset(present)
        return min(present, key=lambda key: self._used[key])
