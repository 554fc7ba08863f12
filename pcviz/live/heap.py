"""How the server's C library keeps free memory, where that is glibc.

By itself it has a heap for each of many threads, and keeps ever larger blocks once they are free: pages run in threads
of their own, so that free memory is left everywhere. glibc reads how it shall do it as a process starts, so the server
starts once more, before it does anything.
"""

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

LARGE_BYTES = 128 * 1024
"""glibc's own thresholds before they grow."""
SETTINGS = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(LARGE_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(LARGE_BYTES),
}
"""One heap; large blocks go back to the system at once (mallopt(3))."""


@cache
def keep_small() -> None:
    """Start this process again with SETTINGS, unless it has them or its environment says otherwise (MALLOC_…).

    Only where the process is this app's alone: `streamlit run` or `pcviz serve`. What it starts later, such as the
    worker, which wants its memory fast, does not inherit them.
    """
    command = {Path(word).name for word in sys.orig_argv[:3]}
    if platform.libc_ver()[0] != "glibc" or not command & {"streamlit", "pcviz"}:
        return
    if SETTINGS.items() <= os.environ.items():
        for name in SETTINGS:
            del os.environ[name]
    elif not any(name.startswith("MALLOC_") for name in os.environ):
        for opened in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # the one that lists them
                os.set_inheritable(int(opened.name), int(opened.name) <= 2)  # Streamlit's port is to be free again
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **SETTINGS})
