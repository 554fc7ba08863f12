"""The code that numbers follow from."""

import hashlib
from functools import cache
from pathlib import Path

import jax

import pcviz
from pcviz.jobs.device import device_name

PARTS = ("data", "experiment", "jobs", "numerics", "pcn")
"""The folders of pcviz in which numbers are made."""


@cache
def code_version() -> str:
    """A digest of the code in PARTS, of pcviz and of jax, and of the kind of device: what was computed under another
    one may differ."""
    folder = Path(pcviz.__file__).parent
    digest = hashlib.sha256(f"{pcviz.__version__} {jax.__version__} {device_name()}".encode())
    for path in sorted(path for part in PARTS for path in (folder / part).rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
