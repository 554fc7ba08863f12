"""Measuring the evidence of cases, in processes of their own."""

from pathlib import Path

from benchmarks.illness.archive import pack
from benchmarks.illness.suite import Case
from pcviz.instruments.diagnosis.job import DiagnosisJob
from pcviz.jobs.device import keep_compiled_programs


def measure(case: Case) -> bytes:
    """The evidence of a case, packed."""
    job = DiagnosisJob(case.experiment)
    job.run()
    return pack(job.evidence.values)


def work(item: tuple[Case, Path]) -> str:
    """Measure a case, whose evidence goes into the file; returns its name."""
    case, file = item
    keep_compiled_programs()
    try:
        file.write_bytes(measure(case))
    except Exception as error:  # the others are measured all the same
        file.with_suffix(".txt").write_text(f"{case.name}: {type(error).__name__}: {error}", encoding="utf-8")
    return case.name
