"""Work that cannot be cut into slices: it runs in a thread of its own while the job's slices continue."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
LOOK_SECONDS = 0.005


def until(future: Future[Result]) -> Iterator[bool]:
    """Wait for `future`, yielding every few milliseconds; its exception, if any, is not raised here."""
    while not future.done():
        time.sleep(LOOK_SECONDS)
        yield True


def in_thread(work: Callable[[], Result]) -> Generator[bool, None, Result]:
    """Do `work` in a thread, yielding every few milliseconds; returns its value."""
    with ThreadPoolExecutor(1, "pcviz-aside") as pool:
        future = pool.submit(work)
        yield from until(future)
    return future.result()
