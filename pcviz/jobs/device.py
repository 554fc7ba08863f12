"""The device that jobs run on, and its cache of compiled programs."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import jax


@cache
def device_name() -> str:
    """The device in use as a person would say it: "cpu", "NVIDIA H200"."""
    device = jax.devices()[0]
    return "cpu" if device.platform == "cpu" else device.device_kind


@cache
def keep_compiled_programs() -> None:
    """Keep compiled programs between processes, so that a shape seen before starts at once ($XDG_CACHE_HOME/pcviz)."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pcviz"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
