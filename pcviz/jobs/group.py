"""Groups: runs of many small experiments, their members. Sweeps, reproductions and comparisons are groups."""

import json
import time
from abc import abstractmethod
from collections.abc import Hashable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numpy as np

from pcviz.experiment.looks import GroupOptions
from pcviz.jobs.background import LOOK_SECONDS
from pcviz.jobs.device import tend_programs
from pcviz.jobs.look import Look
from pcviz.numerics.krylov import Work

AT_ONCE = 2
"""Members at a time: compilation and small products leave cores idle."""
PIECE_SECONDS = 0.02
"""A member that may pause works on for about so long: what it does beyond a slice."""
Options = TypeVar("Options", bound=GroupOptions)


class Group(Look[Options]):
    """A look that measures members, which are the parts of its options, in their order; its steps count those measured.

    Members work in threads, a piece at a time and only while the group is asked to advance. `results` holds what was
    measured, by member. A checkpoint keeps it, so that no member is measured twice; one under way begins anew.
    """

    def _begin(self) -> None:
        self.results: dict[str, Any] = {}
        self._pieces: dict[str, Future[tuple[Work[Any], Any]]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "pcviz-group")
        self._begins = True

    @abstractmethod
    def measure(self, member: str) -> Work[Any]:
        """Measure a member, pausing wherever it yields; the result holds what JSON does, and is not None."""

    def family(self, member: str) -> Hashable:
        """Members of one family share compiled programs: while others are left, one of a family works at a time."""
        return member

    def prepare(self) -> None:
        """Nothing: members load and compile their own."""

    def _work(self) -> Iterator[None]:
        while self._pieces or len(self.results) < self.steps:
            while len(self._pieces) < AT_ONCE and (member := self._next()) is not None:
                tend_programs()
                self._go_on(member, self.measure(member))
            wait(self._pieces.values(), LOOK_SECONDS, FIRST_COMPLETED)
            for member in [member for member, piece in self._pieces.items() if piece.done()]:
                work, result = self._pieces.pop(member).result()
                if result is None:
                    self._go_on(member, work)
                else:
                    self.results[member], self._share[member] = result, 1.0
                    yield
            yield

    def _next(self) -> str | None:
        """The member that begins next, if one does."""
        left = [member for member in self._expected if member not in self.results and member not in self._pieces]
        busy = {self.family(member) for member in self._pieces}
        chosen = next((member for member in left if self.family(member) not in busy), left[0] if left else None)
        return chosen if self._begins else None

    def _go_on(self, member: str, work: Work[Any]) -> None:
        self._pieces[member] = self._pool.submit(_worked_on, work)

    @property
    def _reached(self) -> int:
        return len(self.results)

    def finish(self) -> None:
        """Measure the members under way to their end, and begin no other."""
        self._begins = False
        while self._pieces:
            next(self._progress)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """The results; of JSON's dialects the one that knows NaN and infinity."""
        results = np.frombuffer(json.dumps(self.results).encode(), np.uint8)
        return super().checkpoint() | {"results": results}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on with the members that the checkpoint does not hold."""
        stored = json.loads(arrays["results"].tobytes())
        self.results = {member: result for member, result in stored.items() if member in self._expected}
        self._share |= dict.fromkeys(self.results, 1.0)
        self.step, self.seconds = len(self.results), float(arrays["seconds"])


def _worked_on(work: Work[Any]) -> tuple[Work[Any], Any]:
    """Go on for about PIECE_SECONDS: the work, and its result, None before its end."""
    deadline = time.perf_counter() + PIECE_SECONDS
    try:
        next(work)
        while time.perf_counter() < deadline:
            next(work)
    except StopIteration as ended:
        return work, ended.value
    return work, None
