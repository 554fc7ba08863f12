"""The jobs of all instruments, by the kind of their runs."""

from collections.abc import Callable

from pcviz.instruments import gathered
from pcviz.jobs.protocol import Job

JOBS: dict[str, Callable[..., Job]] = gathered("job", "JOBS")
"""Trainings are made from their experiment, other runs from (experiment, options, source), children from (experiment,
parent's job, options)."""
