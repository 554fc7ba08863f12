"""Work that cannot be cut runs in a thread of its own, while a job's slices go on."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
LOOK_SECONDS = 0.005


def until(future: Future[Result]) -> Iterator[bool]:
    """Wait for it in small portions; its exception, if any, is left in it."""
    while not future.done():
        time.sleep(LOOK_SECONDS)
        yield True


def in_thread(work: Callable[[], Result]) -> Generator[bool, None, Result]:
    """Do `work` in a thread and wait for it in small portions; its value."""
    with ThreadPoolExecutor(1, "pcviz-aside") as pool:
        future = pool.submit(work)
        yield from until(future)
    return future.result()
