"""The server has one heap, whatever the number of its threads."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAPS = """
import ctypes, os, sys, threading
from pcviz.live import heap
heap.keep_small()
assert set(heap.SETTINGS).isdisjoint(os.environ), "the worker would inherit them"
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
@pytest.mark.parametrize(
    ("command", "environment", "one"),
    [("streamlit", {}, True), ("pcviz", {}, True), ("pcviz", {"MALLOC_TOP_PAD_": "4096"}, False), ("other", {}, False)],
    ids=["streamlit", "pcviz", "the environment says otherwise", "another process"],
)
def test_one_heap_where_the_process_is_ours(
    tmp_path: Path, command: str, environment: dict[str, str], one: bool
) -> None:
    script = tmp_path / command
    script.write_text(HEAPS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    found = subprocess.run(
        [sys.executable, str(script)],
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=True,
    )
    assert (found.stdout.decode().count("<heap nr=") == 1) is one
