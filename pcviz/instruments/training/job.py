"""Trainings, and what is drawn beside them while they run."""

from collections.abc import Callable

from pcviz.instruments.training.boundary import Boundary
from pcviz.instruments.training.plane import TrainingPlane
from pcviz.jobs.protocol import Job
from pcviz.jobs.training import Training

JOBS: dict[str, Callable[..., Job]] = {"train": Training, "training_plane": TrainingPlane, "boundary": Boundary}
