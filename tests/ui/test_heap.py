"""The server has one heap, whatever the number of its threads."""

import os
import platform
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, re, sys, threading
from pcviz.ui import heap
heap.keep_small()
gate = threading.Barrier(8)
def work():
    gate.wait()
    for size in range(600, 900):
        bytearray(size)
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out); libc.fflush(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other heaps")
@pytest.mark.parametrize(("environment", "one"), [({}, True), ({"MALLOC_ARENA_MAX": "4"}, False)])
def test_one_heap_unless_the_environment_says_otherwise(environment: dict[str, str], one: bool) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    found = subprocess.run([sys.executable, "-c", HEAPS], env={**kept, **environment}, capture_output=True, check=True)
    heaps = found.stdout.decode().count("<heap nr=")
    assert (heaps == 1) is one, found.stdout
