"""Groups: runs of many small experiments, their members. Sweeps, reproductions and comparisons are groups."""

import json
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, ThreadPoolExecutor, wait
from functools import cached_property
from itertools import accumulate, takewhile
from typing import Any, TypeVar

import numpy as np

from pcviz.experiment.faults import one_line
from pcviz.experiment.looks import GroupOptions
from pcviz.jobs.background import LOOK_SECONDS
from pcviz.jobs.code import OtherVersions
from pcviz.jobs.device import device_name, tend_programs
from pcviz.jobs.elsewhere import described, held, measured, versions_of
from pcviz.jobs.look import Look
from pcviz.jobs.protocol import Elsewhere, Incomplete, Memory
from pcviz.numerics import krylov
from pcviz.numerics.krylov import Work

AT_ONCE = 2
"""Members measured at a time: compilation and small products leave cores idle."""
PIECE_SECONDS = 0.02
"""A member that may pause works for about this long at a time, and so for this long beyond a slice."""
CALLS_AHEAD = 2
"""Calls for each slot of other processes: one is worked on while another waits."""
CALL_SECONDS = 2.0
"""A call of another process is long beside what it costs to send, and short beside what a lost process may cost."""
ROUNDS = 4
"""A slot gets at least so many more calls, which are smaller towards the end: all end together, and pictures form."""
MOST_DEATHS = 3
"""Members of a call that so many processes died of are not sent to another."""
MOST_FAULTS = 3
"""A group goes on without a member that fails, but not beyond so many faults."""
Options = TypeVar("Options", bound=GroupOptions)


class Group(Look[Options]):
    """A look that measures members, the parts of its options, in their order; its steps count the measured ones.

    Members work in threads, a piece at a time and only while the group advances; or `elsewhere`, where other processes
    measure some in each call, and a group that does not advance sends no more. `results` holds what was measured, by
    member. A checkpoint keeps it, so that no finished member is measured again; one under way starts again. `memory`
    knows results of earlier runs, of members that have a `key`, and is told new ones. Of a member that failed nobody
    keeps anything: the others are measured, then the group fails, and another run tries that member again.
    """

    memory: Memory | None = None
    elsewhere: Elsewhere | None = None

    def _begin(self) -> None:
        self.results: dict[str, Any] = {}
        self._under_way: dict[tuple[str, ...], Future[Any]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, "pcviz-group")
        self._begins = True
        self._waits = False
        self._deaths: Counter[tuple[str, ...]] = Counter()
        self._failed: dict[tuple[str, ...], str] = {}
        self._versions: dict[str, str] | None = None
        self._seconds_elsewhere = 0.0

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

    def data(self, member: str) -> str:
        """The data set that it needs."""
        return self.experiment.data.name

    def measure_any(self, members: Sequence[str]) -> list[Any]:
        """Measure any members without a pause; results in their order."""
        results: dict[str, Any] = {}
        while left := [member for member in members if member not in results]:
            family = [member for member in left if self.families[member] == self.families[left[0]]]
            together = family[: self.most_together(left[0])]
            tend_programs()
            results |= zip(together, krylov.finish(self.measure(together)), strict=True)
        return [results[member] for member in members]

    @cached_property
    def families(self) -> dict[str, Hashable]:
        """The family of every member."""
        return {member: self.family(member) for member in self._expected}

    @property
    def idle(self) -> bool:
        """Whether it waits for other processes."""
        return self._waits and not any(call.done() for call in self._under_way.values())

    @property
    def device(self) -> str:
        """The device that members are measured on."""
        return device_name() if self._versions is None else self._versions["device"]

    def prepare(self) -> None:
        """Ask other processes for their versions; members load and compile for themselves."""
        if self.elsewhere is not None:
            self._versions = versions_of(self.elsewhere)
            self._description = described(self, self._versions)

    def advance(self, until_step: int, seconds: float, bulk: bool = False) -> None:
        """Work for about `seconds`, not past `until_step`; counts the seconds of other processes if they work."""
        before = self.seconds
        super().advance(until_step, seconds, bulk)
        if self.elsewhere is not None:
            self.seconds, self._seconds_elsewhere = before + self._seconds_elsewhere, 0.0

    def _work(self) -> Iterator[None]:
        if self._recall():
            yield
        while self._under_way or len(self.results) + self._lost < self.steps:
            while len(self._under_way) < self._most_under_way and (members := self._next()):
                self._start(members)
            self._waits = self.elsewhere is not None
            wait(self._under_way.values(), LOOK_SECONDS, FIRST_COMPLETED)
            for members in self._answered():
                if members in self._under_way and self._collect(members):
                    yield
            if len(self._failed) >= MOST_FAULTS:
                break
            yield
        if self._failed:
            raise Incomplete(self._fault)

    @property
    def _fault(self) -> str:
        """What went wrong first, and how much is missing."""
        members, fault = next(iter(self._failed.items()))
        return f"{members[0]}: {fault} ({self.steps - len(self.results)} of {self.steps} are missing)"

    @property
    def _lost(self) -> int:
        """How many members failed."""
        return sum(map(len, self._failed))

    def _left(self) -> list[str]:
        """Members that were neither measured nor failed, in their order."""
        failed = {member for members in self._failed for member in members}
        return [member for member in self._expected if member not in self.results and member not in failed]

    def _answered(self) -> list[tuple[str, ...]]:
        return [members for members, future in self._under_way.items() if future.done()]

    def _collect(self, members: tuple[str, ...]) -> bool:
        """Take what a future has; whether these are results. Raises what no other member could escape."""
        self._waits = False
        future = self._under_way.pop(members)
        try:
            results = self._worked(members, future) if self.elsewhere is None else self._answer(members, future)
        except (ConnectionError, OtherVersions):
            raise
        except Exception as error:
            self._failed[members] = one_line(error)
            return False
        if results is None:
            return False
        self._take(dict(zip(members, results, strict=True)))
        if self.memory is not None:
            keys = {member: self.key(member) for member in members}
            self.memory.keep({key: self.results[member] for member, key in keys.items() if key is not None})
        return True

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
        under_way = {member for members in self._under_way for member in members}
        left = [member for member in self._left() if member not in under_way]
        if not left:
            return ()
        busy = {self.families[member] for member in under_way}
        first = next((member for member in left if self.families[member] not in busy), left[0])
        family = [member for member in left if self.families[member] == self.families[first]]
        return tuple(family[: self._count(family, len(left))])

    def _count(self, family: list[str], left: int) -> int:
        """How many of a family begin together, of so many members that are left."""
        together = self.most_together(family[0])
        if self.elsewhere is None:
            return together
        most, ends = left / (ROUNDS * self.elsewhere.slots), accumulate(self._expected[member] for member in family)
        count = min(most, 1 + sum(1 for _ in takewhile(lambda end: end < CALL_SECONDS, ends)))
        return together * max(1, round(count / together))

    @property
    def _most_under_way(self) -> int:
        return AT_ONCE if self.elsewhere is None else CALLS_AHEAD * self.elsewhere.slots

    def _start(self, members: tuple[str, ...]) -> None:
        if self.elsewhere is None:
            tend_programs()
            self._go_on(members, self.measure(members))
        else:
            data = held({self.data(member) for member in members})
            self._under_way[members] = self.elsewhere.submit(measured, self._description, members, data)

    def _go_on(self, members: tuple[str, ...], work: Work[list[Any]]) -> None:
        self._under_way[members] = self._pool.submit(_worked_on, work)

    def _worked(self, members: tuple[str, ...], piece: Future[Any]) -> list[Any] | None:
        """The results after a piece of work; None if another piece follows."""
        work, results = piece.result()
        if results is None:
            self._go_on(members, work)
        return results

    def _answer(self, members: tuple[str, ...], call: Future[Any]) -> list[Any] | None:
        """The results of other processes; None if they have to be asked again."""
        assert self.elsewhere is not None
        try:
            results, seconds = call.result()
        except BrokenExecutor:
            self._deaths[members] += 1
            if self._deaths[members] < MOST_DEATHS:
                self._start(members)
            else:
                self._failed[members] = f"the processes that measured it died {MOST_DEATHS} times (is it too large?)"
            return None
        except CancelledError:
            raise ConnectionError(f"{self.elsewhere.place} was lost; what was measured before is kept") from None
        self._seconds_elsewhere += seconds / min(self.elsewhere.slots, 1 + len(self._under_way))
        return results

    @property
    def _reached(self) -> int:
        return len(self.results)

    def finish(self) -> None:
        """Finish the members under way, and begin no others."""
        self._begins = False
        while self._under_way:
            next(self._progress)

    def withdraw(self) -> None:
        """Take back what other processes were asked for: nobody waits for it."""
        for future in self._under_way.values():
            future.cancel()

    def checkpoint(self) -> dict[str, np.ndarray]:
        """The results too, as JSON extended by NaN and infinity, with those that came while it rested."""
        for members in self._answered() if self.elsewhere is not None else []:
            self._collect(members)
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
