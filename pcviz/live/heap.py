"""Makes the server's C library return free memory to the system, if that library is glibc.

By default glibc has a heap for each of many threads, and keeps ever larger blocks once they are free: every page runs
in its own thread, so free memory is left in all heaps. glibc reads its settings only when a process starts, so the
server restarts itself before it does anything.
"""

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

LARGE_BYTES = 128 * 1024
"""Initial value of glibc's own thresholds, which grow by default."""
SETTINGS = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(LARGE_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(LARGE_BYTES),
}
"""One heap; large blocks go back to the system at once (mallopt(3))."""


@cache
def keep_small() -> None:
    """Restart this process with SETTINGS, unless it has them or its environment has others (MALLOC_…).

    Only if the process runs nothing but this app: `streamlit run` or `pcviz serve`. Processes that it starts later do
    not inherit them; the worker, for example, needs fast allocation.
    """
    command = {Path(word).name for word in sys.orig_argv[:3]}
    if platform.libc_ver()[0] != "glibc" or not command & {"streamlit", "pcviz"}:
        return
    if SETTINGS.items() <= os.environ.items():
        for name in SETTINGS:
            del os.environ[name]
    elif not any(name.startswith("MALLOC_") for name in os.environ):
        for opened in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # the descriptor that lists the others
                os.set_inheritable(int(opened.name), int(opened.name) <= 2)  # frees Streamlit's port
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **SETTINGS})
