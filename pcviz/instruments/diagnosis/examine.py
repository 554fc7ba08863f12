"""Diagnosis from Python."""

from pcviz.experiment import Experiment
from pcviz.instruments.diagnosis.job import DiagnosisJob
from pcviz.instruments.diagnosis.options import Options
from pcviz.instruments.diagnosis.verdict import Diagnosis
from pcviz.instruments.diagnosis.verdict import diagnose as judge


def diagnose(experiment: Experiment, *, steps: int | None = None) -> Diagnosis:
    """What keeps this experiment from learning: its causes with evidence and remedies, the worst first.

    It trains the experiment for a few seconds, or for `steps` weight steps, beside twins with one intervention each,
    and probes single batches (docs/diagnosis.md).
    """
    job = DiagnosisJob(experiment, Options(step=steps))
    job.run()
    return judge(job.evidence)


__all__ = ["Diagnosis", "diagnose"]
