"""The command; see the package."""

import argparse
import multiprocessing
from pathlib import Path

from benchmarks.illness import __doc__ as about
from benchmarks.illness.archive import file_of, in_folder, store
from benchmarks.illness.counts import summary, told
from benchmarks.illness.measure import work
from benchmarks.illness.suite import SPLIT, cases

WORKERS = 2


def main() -> None:
    """Measure what is missing, then print the counts of the calibration half, or of both."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="measure cases whose name holds this")
    parser.add_argument("--store", type=Path, help="keep all evidence in this archive")
    parser.add_argument("--test", action="store_true", help="print the counts of the test half too")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    items = [(case, file_of(chosen.folder, case)) for case in sorted(cases(), key=lambda case: case.digest)]
    items = [(case, file) for case, file in items if chosen.only in case.name and not file.is_file()]
    with multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=20) as pool:
        for done, name in enumerate(pool.imap_unordered(work, items), 1):
            print(f"{done} of {len(items)}: {name}", flush=True)
    counted = told(in_folder(chosen.folder))
    for split in SPLIT[: 2 if chosen.test else 1]:
        print(split, summary([case for case in counted if case.case.split == split]), sep="\n")
    if chosen.store:
        store(chosen.folder, chosen.store)


if __name__ == "__main__":
    main()
