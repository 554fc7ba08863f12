"""Groups: runs of many small experiments, their members. Sweeps, reproductions and comparisons are groups."""

import json
import time
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from pcviz.experiment.looks import GroupOptions
from pcviz.jobs.background import LOOK_SECONDS
from pcviz.jobs.device import tend_programs
from pcviz.jobs.look import Look
from pcviz.jobs.protocol import Memory
from pcviz.numerics.krylov import Work

AT_ONCE = 2
"""Members measured at a time: compilation and small products leave cores idle."""
PIECE_SECONDS = 0.02
"""A member that may pause works for about this long at a time, and so for this long beyond a slice."""
Options = TypeVar("Options", bound=GroupOptions)


class Group(Look[Options]):
    """A look that measures members, the parts of its options, in their order; its steps count the measured ones.

    Members work in threads, a piece at a time and only while the group advances. `results` holds what was measured, by
    member. A checkpoint keeps it, so that no finished member is measured again; one under way starts again. `memory`
    knows results of earlier runs, of members that have a `key`, and is told new ones.
    """

    memory: Memory | None = None

    def _begin(self) -> None:
        self.results: dict[str, Any] = {}
        self._pieces: dict[tuple[str, ...], Future[tuple[Work[list[Any]], list[Any] | None]]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "pcviz-group")
        self._begins = True

    @abstractmethod
    def measure(self, members: Sequence[str]) -> Work[list[Any]]:
        """Measure members that go together, pausing wherever it yields; the results can be written as JSON."""

    def family(self, member: str) -> Hashable:
        """Members of one family share compiled programs: while others wait, a family is worked on by one thread."""
        return member

    def key(self, member: str) -> str | None:
        """A digest of all that the result of a member follows from; None: it is measured anew in every run."""
        return None

    def most_together(self, member: str) -> int:
        """How many members of its family are measured together at most."""
        return 1

    @cached_property
    def families(self) -> dict[str, Hashable]:
        """The family of every member."""
        return {member: self.family(member) for member in self._expected}

    def prepare(self) -> None:
        """Does nothing: members load and compile for themselves."""

    def _work(self) -> Iterator[None]:
        if self._recall():
            yield
        while self._pieces or len(self.results) < self.steps:
            while len(self._pieces) < AT_ONCE and (members := self._next()):
                tend_programs()
                self._go_on(members, self.measure(members))
            wait(self._pieces.values(), LOOK_SECONDS, FIRST_COMPLETED)
            for members in [members for members, piece in self._pieces.items() if piece.done()]:
                work, results = self._pieces.pop(members).result()
                if results is None:
                    self._go_on(members, work)
                    continue
                self._take(dict(zip(members, results, strict=True)))
                if self.memory is not None:
                    keys = {member: self.key(member) for member in members}
                    self.memory.keep({key: self.results[member] for member, key in keys.items() if key is not None})
                yield
            yield

    def _recall(self) -> bool:
        """Take what is known already; whether there was any."""
        keys = {} if self.memory is None else {m: self.key(m) for m in self._expected if m not in self.results}
        wanted = {member: key for member, key in keys.items() if key is not None}
        if self.memory is None or not wanted:
            return False
        known = self.memory.known(wanted.values())
        self._take({member: known[key] for member, key in wanted.items() if key in known})
        return bool(known)

    def _take(self, results: dict[str, Any]) -> None:
        self.results |= results
        self._share |= dict.fromkeys(results, 1.0)

    def _next(self) -> tuple[str, ...]:
        """The members that begin next, of one family; none if none does."""
        if not self._begins:
            return ()
        under_way = {member for members in self._pieces for member in members}
        left = [member for member in self._expected if member not in self.results and member not in under_way]
        if not left:
            return ()
        busy = {self.families[member] for member in under_way}
        first = next((member for member in left if self.families[member] not in busy), left[0])
        family = [member for member in left if self.families[member] == self.families[first]]
        return tuple(family[: self.most_together(first)])

    def _go_on(self, members: tuple[str, ...], work: Work[list[Any]]) -> None:
        self._pieces[members] = self._pool.submit(_worked_on, work)

    @property
    def _reached(self) -> int:
        return len(self.results)

    def finish(self) -> None:
        """Finish the members under way, and begin no others."""
        self._begins = False
        while self._pieces:
            next(self._progress)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """The results too, as JSON extended by NaN and infinity."""
        results = np.frombuffer(json.dumps(self.results).encode(), np.uint8)
        return super().checkpoint() | {"results": results}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue with the members that the checkpoint does not hold."""
        stored = json.loads(arrays["results"].tobytes())
        self.results = {member: result for member, result in stored.items() if member in self._expected}
        self._share |= dict.fromkeys(self.results, 1.0)
        self.step, self.seconds = len(self.results), float(arrays["seconds"])


def _worked_on(work: Work[list[Any]]) -> tuple[Work[list[Any]], list[Any] | None]:
    """Continue `work` for about PIECE_SECONDS; returns it and its results (None before it has finished)."""
    deadline = time.perf_counter() + PIECE_SECONDS
    try:
        next(work)
        while time.perf_counter() < deadline:
            next(work)
    except StopIteration as ended:
        return work, ended.value
    return work, None
