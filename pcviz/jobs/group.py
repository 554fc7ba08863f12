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
"""Members measured at a time: compilation and small products leave cores idle."""
PIECE_SECONDS = 0.02
"""A member that may pause works for about this long at a time, and so for this long beyond a slice."""
Options = TypeVar("Options", bound=GroupOptions)


class Group(Look[Options]):
    """A look that measures members, the parts of its options, in their order; its steps count the measured ones.

    Members work in threads, a piece at a time and only while the group advances. `results` holds what was measured, by
    member. A checkpoint keeps it, so that no finished member is measured again; one under way starts again.
    """

    def _begin(self) -> None:
        self.results: dict[str, Any] = {}
        self._pieces: dict[str, Future[tuple[Work[Any], Any]]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "pcviz-group")
        self._begins = True

    @abstractmethod
    def measure(self, member: str) -> Work[Any]:
        """Measure a member, pausing wherever it yields; the result can be written as JSON and is not None."""

    def family(self, member: str) -> Hashable:
        """Members of one family share compiled programs: while others wait, one member of a family works at a time."""
        return member

    def prepare(self) -> None:
        """Does nothing: members load and compile for themselves."""

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
        """The member that begins next; None if none does."""
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


def _worked_on(work: Work[Any]) -> tuple[Work[Any], Any]:
    """Continue `work` for about PIECE_SECONDS; returns it and its result (None before it has finished)."""
    deadline = time.perf_counter() + PIECE_SECONDS
    try:
        next(work)
        while time.perf_counter() < deadline:
            next(work)
    except StopIteration as ended:
        return work, ended.value
    return work, None
