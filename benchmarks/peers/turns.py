"""Whole trainings measured in turn: each waits, in a thread of its own, while the others run."""

from __future__ import annotations

import threading
from typing import NamedTuple

from benchmarks.peers.task import Peer, Task
from benchmarks.rounds import Seconds, timed


class Turn(NamedTuple):
    """Weight steps made in a turn, and the time they took."""

    steps: int
    seconds: Seconds

    @property
    def each(self) -> Seconds:
        """Time of one weight step."""
        return Seconds(*(spent / self.steps for spent in self.seconds))


class Turns:
    """One library's training, which goes on only during `turn`."""

    def __init__(self, peer: Peer, task: Task) -> None:
        self._peer, self._task = peer, task
        self._begin, self._end = threading.Event(), threading.Event()
        self._until = self._done = 0
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def turn(self, steps: int) -> Turn:
        """Train for at least so many weight steps."""
        before = self._done
        self._until = before + steps
        seconds = timed(self._resume)
        if self._failed is not None:
            raise self._failed
        return Turn(self._done - before, seconds)

    def _resume(self) -> None:
        self._end.clear()
        self._begin.set()
        self._end.wait()

    def _run(self) -> None:
        self._wait()
        try:
            self._peer.train(self._task, self._passed)
        except BaseException as failed:
            self._failed = failed
        self._end.set()

    def _passed(self, step: int) -> None:
        self._done = step
        if step >= self._until:
            self._end.set()
            self._wait()

    def _wait(self) -> None:
        self._begin.wait()
        self._begin.clear()


def in_turn(peers: list[Peer], task: Task, rounds: int, steps: int) -> dict[str, list[Seconds]]:
    """Seconds of one weight step of each library in every round, after a turn that is not counted (it compiles)."""
    running = {peer.name: Turns(peer, task) for peer in peers}
    for each in running.values():
        each.turn(steps)
    found: dict[str, list[Seconds]] = {name: [] for name in running}
    for _ in range(rounds):
        for name, each in running.items():
            found[name].append(each.turn(steps).each)
    return found
