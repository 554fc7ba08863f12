"""Work that cannot be cut runs in a thread of its own, while a job's slices go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")
LOOK_SECONDS = 0.005


def until(future: Future[Result]) -> Iterator[bool]:
    """Wait for it in small portions; its exception, if any, is left in it."""
    while not future.done():
        time.sleep(LOOK_SECONDS)
        yield True
