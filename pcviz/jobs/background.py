"""Work that cannot be cut into slices: it runs in a thread of its own while other work goes on."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
LOOK_SECONDS = 0.005


def aside(work: Callable[[], Result]) -> Future[Result]:
    """Begin `work` in a thread; what it returns or raises is the future's."""
    pool = ThreadPoolExecutor(1, "pcviz-aside")
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


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
