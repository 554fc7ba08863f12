"""Measuring the evidence of cases, in processes of their own."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.illness.archive import pack, unpack
from benchmarks.illness.suite import Case
from pcviz.instruments.diagnosis.attempts import Attempt
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.job import DiagnosisJob
from pcviz.instruments.diagnosis.options import Options
from pcviz.jobs.program_cache import keep_compiled_programs


def measure(case: Case) -> bytes:
    """The evidence of a case, packed."""
    job = DiagnosisJob(case.experiment)
    job.run()
    return pack(job.evidence.values)


def remedied(case: Case, evidence: Evidence) -> list[Attempt]:
    """What the remedies offered bring, as many of them as there are plants."""
    count = int(float(evidence.values["compared_steps"]))
    job = DiagnosisJob(case.experiment, Options(step=count, attempts=len(case.plants)))
    job.know(evidence.values)
    job.run()
    return job.attempts


def try_remedies(item: tuple[Case, Path]) -> str:
    """Try the remedies for a case whose evidence is in the file, beside which the attempts go; returns its name."""
    case, file = item
    keep_compiled_programs()
    attempts = remedied(case, unpack(case, file.read_bytes()))
    file.with_suffix(".json").write_text(json.dumps([asdict(attempt) for attempt in attempts]), encoding="utf-8")
    return case.name


def work(item: tuple[Case, Path]) -> str:
    """Measure a case, whose evidence goes into the file; returns its name."""
    case, file = item
    keep_compiled_programs()
    try:
        file.write_bytes(measure(case))
    except Exception as error:  # the others are measured all the same
        file.with_suffix(".txt").write_text(f"{case.name}: {type(error).__name__}: {error}", encoding="utf-8")
    return case.name
