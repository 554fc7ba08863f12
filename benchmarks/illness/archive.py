"""Evidence on disk: an .npz file for each case and a .json file of what its remedies bring, or all in one archive."""

import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.illness.suite import Case, cases
from pcviz.frames import Value
from pcviz.instruments.diagnosis.attempts import Attempt
from pcviz.instruments.diagnosis.evidence import Evidence

BITS = 13
"""Bits of a number's fraction that are kept: a part in ten thousand."""
ATTEMPTS = "attempts"


class Measured(NamedTuple):
    """A case, its evidence, and what its remedies bring (none: they were not tried)."""

    case: Case
    evidence: Evidence
    attempts: list[Attempt]


def npz(folder: Path, case: Case) -> Path:
    """Where the evidence of a case lies."""
    return folder / f"{case.digest.hex()[:16]}.npz"


def pack(values: dict[str, Value]) -> bytes:
    """Channels as the bytes of an .npz file, in single precision. Pictures of the network are left out."""
    buffer = io.BytesIO()
    kept = {name: value for name, value in values.items() if not name.startswith("network_")}
    arrays: Any = {name: _rounded(np.asarray(value, np.float32)) for name, value in kept.items()}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Numbers with few binary digits, which take less room."""
    fraction, exponent = np.frexp(numbers)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(numbers), np.ldexp(np.round(fraction * 2**BITS) / 2**BITS, exponent), numbers)


def unpack(case: Case, packed: bytes) -> Evidence:
    """The inverse of `pack`."""
    with np.load(io.BytesIO(packed)) as found:
        return Evidence(case.experiment, {name: np.asarray(found[name], np.float64) for name in found})


def in_folder(folder: Path) -> list[Measured]:
    """The cases whose evidence lies in a folder."""
    found = []
    for case in cases():
        if (file := npz(folder, case)).is_file():
            tried = file.with_suffix(".json")
            told = json.loads(tried.read_text(encoding="utf-8")) if tried.is_file() else []
            found.append(Measured(case, unpack(case, file.read_bytes()), [Attempt(**attempt) for attempt in told]))
    return found


def store(measured: Iterable[Measured], archive: Path) -> None:
    """Put evidence into an archive; the same bytes from the same evidence."""
    tried: dict[str, Any] = {}
    with tarfile.open(archive, "w:xz") as into:

        def add(name: str, content: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            into.addfile(entry, io.BytesIO(content))

        for case, evidence, attempts in measured:
            add(case.name, pack(evidence.values))
            if attempts:
                tried[case.name] = [asdict(attempt) for attempt in attempts]
        add(ATTEMPTS, json.dumps(tried).encode())


def in_archive(archive: Path) -> list[Measured]:
    """The cases whose evidence an archive holds."""
    by_name = {case.name: case for case in cases()}
    with tarfile.open(archive, "r:xz") as stored:
        files = {entry.name: _content(stored, entry) for entry in stored}
    tried = json.loads(files.pop(ATTEMPTS))
    return [
        Measured(by_name[name], unpack(by_name[name], packed), [Attempt(**a) for a in tried.get(name, [])])
        for name, packed in files.items()
    ]


def _content(stored: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = stored.extractfile(entry)
    assert file is not None
    return file.read()
