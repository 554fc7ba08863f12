"""Planes, and walks that begin on them."""

from collections.abc import Callable

from pcviz.instruments.plane.look import PlaneLook
from pcviz.instruments.plane.walk import Walk
from pcviz.jobs.protocol import Job

JOBS: dict[str, Callable[..., Job]] = {"plane": PlaneLook, "walk": Walk}
