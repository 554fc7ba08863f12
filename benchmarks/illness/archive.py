"""Evidence on disk: one .npz file for each case, or all of them in one compressed archive."""

import io
import tarfile
from pathlib import Path

import numpy as np

from benchmarks.illness.suite import Case, cases
from pcviz.frames import Value
from pcviz.instruments.diagnosis.evidence import Evidence

DIGITS = 13
"""Bits of a number's fraction that are kept: a part in ten thousand."""


def file_of(folder: Path, case: Case) -> Path:
    """Where the evidence of a case lies."""
    return folder / f"{case.digest.hex()[:16]}.npz"


def pack(values: dict[str, Value]) -> bytes:
    """Channels as the bytes of an .npz file, in single precision. Pictures of the network are left out."""
    buffer = io.BytesIO()
    kept = {name: value for name, value in values.items() if not name.startswith("network_")}
    np.savez(buffer, **{name: _rounded(np.asarray(value, np.float32)) for name, value in kept.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Numbers with few binary digits, which take less room."""
    fraction, exponent = np.frexp(numbers)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(numbers), np.ldexp(np.round(fraction * 2**DIGITS) / 2**DIGITS, exponent), numbers)


def unpack(case: Case, packed: bytes) -> Evidence:
    """The inverse of `pack`."""
    with np.load(io.BytesIO(packed)) as found:
        return Evidence(case.experiment, {name: np.asarray(found[name], np.float64) for name in found})


def in_folder(folder: Path) -> list[tuple[Case, Evidence]]:
    """The cases whose evidence lies in a folder."""
    found = ((case, file_of(folder, case)) for case in cases())
    return [(case, unpack(case, file.read_bytes())) for case, file in found if file.is_file()]


def store(folder: Path, archive: Path) -> None:
    """Put the evidence of a folder into an archive; the same bytes from the same evidence."""
    with tarfile.open(archive, "w:xz") as into:
        for case in cases():
            if (file := file_of(folder, case)).is_file():
                packed = file.read_bytes()
                entry = tarfile.TarInfo(case.name)
                entry.size = len(packed)
                into.addfile(entry, io.BytesIO(packed))


def in_archive(archive: Path) -> list[tuple[Case, Evidence]]:
    """The cases whose evidence an archive holds."""
    by_name = {case.name: case for case in cases()}
    found = []
    with tarfile.open(archive, "r:xz") as stored:
        for entry in stored:
            packed = stored.extractfile(entry)
            assert packed is not None
            found.append((by_name[entry.name], unpack(by_name[entry.name], packed.read())))
    return found
