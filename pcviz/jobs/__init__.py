"""Jobs: work that the worker advances in short slices. One entry in `JOBS` for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pcviz.experiment import Experiment
from pcviz.frames import Frame
from pcviz.jobs.boundary import Boundary
from pcviz.jobs.chain import Chain
from pcviz.jobs.curvature import Curving
from pcviz.jobs.landscape import Landscape
from pcviz.jobs.protocol import Job
from pcviz.jobs.relax import Relaxing
from pcviz.jobs.surface import Surface
from pcviz.jobs.training import Training
from pcviz.jobs.walk import Walk

__all__ = ["JOBS", "Job", "Relaxing", "Training", "train"]

JOBS: dict[str, Callable[..., Job]] = {
    "train": Training,
    "landscape": Landscape,
    "boundary": Boundary,
    "relax": Relaxing,
    "surface": Surface,
    "walk": Walk,
    "chain": Chain,
    "curvature": Curving,
}
"""Trainings are made from their experiment, other runs from (experiment, options, source), children from (experiment,
parent's job, options)."""


def train(experiment: Experiment) -> Iterator[Frame]:
    """Train a network: yields frames until the last weight step or until the energy stops being finite.

    The generator that command line and app run too; see `pcviz.frames.CHANNELS` for the values of a frame.
    """
    yield from Training(experiment).run()
