"""Compiled programs on disk, so that a shape seen before starts at once: a folder of bounded size for each version."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

import jax

from pcviz import __version__
from pcviz.places import cache_folder

MOST_BYTES = 256 * 2**20
"""What a version keeps at most: the programs of some thousand networks."""
TIDY_EVERY = 50
"""Preparations between two looks at what is kept."""
UNUSED_SECONDS = 86400.0
"""What other versions keep is left alone for this time: a process that uses it may still run."""
FOLDERS = re.compile(r"programs-\d[\w.+]*-jax\d[\w.+]*")
FILES = re.compile(r"jit_[\w-]+-[0-9a-f]{64}-cache")
"""Programs of the time before each version had its folder."""

_preparations = count()


@cache
def keep_compiled_programs() -> Path | None:
    """Keep compiled programs between processes, in a folder of this version below $XDG_CACHE_HOME/pcviz, which is
    returned; None if there is no place for it. Folders of other versions that nobody uses any more are removed."""
    folder = cache_folder(f"programs-{__version__}-jax{jax.__version__}")
    if folder is None:
        return None
    os.utime(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # Its own bound reads two files for each entry whenever a program is added: 45 ms for a thousand entries.
    jax.config.update("jax_compilation_cache_max_size", -1)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    remove_other_versions(folder)
    return folder


def tidy() -> None:
    """Make sure of the bound, now and then: call it before something new is compiled."""
    folder = keep_compiled_programs()
    if folder is not None and next(_preparations) % TIDY_EVERY == 0:
        make_room(folder, MOST_BYTES)


def make_room(folder: Path, most_bytes: int) -> None:
    """Delete the files of `folder` that were not used for longest, until the others take `most_bytes` at most."""
    # Not every system notes when a file was read: there, the oldest go.
    found = sorted((max(status.st_atime, status.st_mtime), status.st_size, path) for path, status in _files(folder))
    excess = sum(size for _, size, _ in found) - most_bytes
    for _, size, path in found:
        if excess <= 0:
            break
        with suppress(OSError):
            path.unlink()
            excess -= size


def remove_other_versions(folder: Path) -> None:
    """Delete what other versions kept beside `folder`, unless it was used lately; nothing that has another name."""
    latest = time.time() - UNUSED_SECONDS
    for path in folder.parent.iterdir():
        old = path != folder and (FOLDERS.fullmatch(path.name) or FILES.fullmatch(path.name))
        with suppress(OSError):  # deleted meanwhile by another process, or not ours to delete
            if old and not path.is_symlink() and path.stat().st_mtime < latest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for above, _, names in os.walk(folder):
        for name in names:
            path = Path(above, name)
            with suppress(OSError):  # deleted meanwhile by another process
                yield path, path.stat()
