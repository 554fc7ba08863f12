"""The device that jobs run on, and the programs that are compiled for it."""

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jax

from pcviz.jobs import program_cache

MAPS_SHARE = 0.25
"""Compiled programs are dropped when the process holds more than this share of the memory maps that it may have."""
MAPS, MOST_MAPS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")


@cache
def device_name() -> str:
    """The device in use, as displayed: "cpu", "NVIDIA H200"."""
    device = jax.devices()[0]
    return "cpu" if device.platform == "cpu" else device.device_kind


def tend_programs() -> None:
    """Before something new is compiled: keep compiled programs on disk, and make room for new ones in this process."""
    program_cache.tidy()
    forget_programs(MAPS_SHARE)
    give_memory_back()


def give_memory_back() -> None:
    """Return freed memory to the system, including gaps between pieces in use, which glibc would keep."""
    if (trim := _malloc_trim()) is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    return trim


def forget_programs(share: float) -> bool:
    """Drop compiled programs that are not running if this process has more than `share` of the memory maps it may have.

    Each program on a CPU takes several maps and JAX keeps all of them: after a few hundred networks Linux refuses
    another map and the process dies. A program that is needed again is traced again. False if nothing was dropped.
    """
    if not (MAPS.exists() and MOST_MAPS.exists()):
        return False
    with MAPS.open("rb") as maps:
        full = sum(1 for _ in maps) > share * int(MOST_MAPS.read_text())
    if full:
        jax.clear_caches()
    return full
