"""Free memory goes back to the system."""

import platform
import subprocess
import sys

import pytest

GROWN_AND_FREED = """
import psutil
from pcviz.engine import heap
def used():
    return psutil.Process().memory_info().rss / 1e6
kept = [bytearray(2000) for _ in range(60_000)]
last = bytearray(2000)  # above all that is freed: the heap cannot shrink from its end
before = used()
del kept
freed = used()
heap.give_back()
print(before - freed, before - used())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other heaps")
def test_free_pages_are_given_back() -> None:
    found = subprocess.run([sys.executable, "-c", GROWN_AND_FREED], capture_output=True, check=True, text=True)
    by_itself, given_back = map(float, found.stdout.split())
    assert by_itself < 20 and given_back > 100, found.stdout
