"""The command; see the package."""

import argparse
import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.illness import __doc__ as about
from benchmarks.illness.archive import in_folder, npz, store
from benchmarks.illness.counts import told
from benchmarks.illness.measure import try_remedies, work
from benchmarks.illness.suite import SPLIT, cases
from benchmarks.illness.tables import summary

WORKERS = 2


def _all(do: Callable[[Any], str], items: Sequence[Any]) -> None:
    """Do it for all items, two at a time, each process a while."""
    with multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=20) as pool:
        for done, name in enumerate(pool.imap_unordered(do, items), 1):
            print(f"{done} of {len(items)}: {name}", flush=True)


def main() -> None:
    """Measure what is missing, then print the counts of the calibration half, or of both."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="measure cases whose name holds this")
    parser.add_argument("--counts", action="store_true", help="measure nothing, only count what is there")
    parser.add_argument("--store", type=Path, help="keep all evidence in this archive")
    parser.add_argument("--test", action="store_true", help="print the counts of the other parts too")
    chosen = parser.parse_args()
    folder: Path = chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not chosen.counts:
        known = sorted((case for case in cases() if chosen.only in case.name), key=lambda case: case.digest)
        files = [(case, npz(folder, case)) for case in known]
        _all(work, [(case, file) for case, file in files if not file.is_file()])
        ill = {told.case.name for told in told(in_folder(folder)) if told.remedy}
        untried = [(case, file) for case, file in files if case.name in ill and not file.with_suffix(".json").is_file()]
        _all(try_remedies, untried)
    measured = in_folder(folder)
    for split in SPLIT[: len(SPLIT) if chosen.test else 1]:
        print(split, summary([case for case in told(measured) if case.case.split == split]), sep="\n")
    if chosen.store:
        store(measured, chosen.store)


if __name__ == "__main__":
    main()
