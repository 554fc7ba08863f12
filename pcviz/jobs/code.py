"""The code that numbers follow from, and whether another process has the same."""

import hashlib
import os
import platform
import socket
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pcviz

PARTS = ("data", "experiment", "instruments/reproduce/measures", "jobs", "numerics", "pcn", "probes")
"""The folders of pcviz in which numbers are made."""
PACKAGES = ("jax", "jaxlib", "numpy")


@cache
def code_version(device: str) -> str:
    """A digest of the code in PARTS, of pcviz and of jax, and of the kind of device: what was computed under another
    one may differ."""
    return hashlib.sha256(f"{pcviz.__version__} {version('jax')} {device} {_digest(PARTS)}".encode()).hexdigest()


@cache
def versions() -> dict[str, str]:
    """What has to be the same in every process that measures parts of one run, by name."""
    from pcviz.jobs.device import device_name  # loads JAX

    packages = {name: version(name) for name in PACKAGES}
    code = f"{pcviz.__version__} with the code {_digest(('',))[:12]}"
    return {"python": platform.python_version(), **packages, "pcviz": code, "device": device_name()}


class OtherVersions(RuntimeError):
    """A process has other versions, or other code, than it should."""


def compare(theirs: Mapping[str, str], ours: Mapping[str, str], where: str) -> None:
    """Raises OtherVersions with one line if they differ; `where` names the process that has `theirs`."""
    there = {name: theirs.get(name, "unknown") for name in ours}
    lines = [f"{name} is {there[name]} and should be {ours[name]}" for name in ours if there[name] != ours[name]]
    if lines:
        raise OtherVersions(f"{where}: {'; '.join(lines)} (allowed: the same as where the run is)")


def this_process() -> str:
    """A name of this process for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def _digest(parts: Sequence[str]) -> str:
    folder, digest = Path(pcviz.__file__).parent, hashlib.sha256()
    for path in sorted(path for part in parts for path in (folder / part).rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
