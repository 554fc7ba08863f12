"""Processes that answer when a test lets them."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar

from pcviz.jobs.elsewhere import measured


class ByHand:
    """`calls` are those that nobody has answered yet, with their members; `sizes` how many members each call had."""

    place: ClassVar[str] = "by hand"
    slots: ClassVar[int] = 2

    def __init__(self) -> None:
        self.calls: list[tuple[Future[Any], Callable[[], Any], Sequence[str]]] = []
        self.sizes: list[int] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if function is measured:
            self.sizes.append(len(arguments[1]))
            self.calls.append((future, lambda: function(*arguments), arguments[1]))
        else:
            future.set_result(function(*arguments))
        return future

    def answer(self, number: int = 0) -> None:
        """Measure what a call asks for."""
        future, work, _ = self.calls.pop(number)
        future.set_result(work())
