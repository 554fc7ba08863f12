"""Planes, and walks that begin on them."""

from collections.abc import Callable

from pcviz.instruments.plane.surface import Surface
from pcviz.instruments.plane.walk import Walk
from pcviz.jobs.protocol import Job

JOBS: dict[str, Callable[..., Job]] = {"surface": Surface, "walk": Walk}
