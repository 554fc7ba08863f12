"""Sweeps: every cell is a short training, and cells of one shape are trained together."""

from collections.abc import Hashable, Sequence
from typing import Any

from pcviz.experiment.shape import shape_of
from pcviz.frames import Value
from pcviz.instruments.sweep import picture
from pcviz.instruments.sweep.options import Options
from pcviz.jobs.cohort import key_of, lanes_of, trained
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work


class Sweep(Group[Options]):
    """A run of kind "sweep"; its members are the cells."""

    KIND, OPTIONS = "sweep", Options

    def _begin(self) -> None:
        super()._begin()
        self.cells = self.options.cells(self.experiment)

    def family(self, member: str) -> Hashable:
        """Cells of one shape, of which equally many are trained together."""
        return shape_of(self.cells[member]), lanes_of(self.cells[member])

    def most_together(self, member: str) -> int:
        """How many trainings of its shape one program makes."""
        return lanes_of(self.cells[member])

    def key(self, member: str) -> str:
        """Cells of other sweeps with the same key have the same result."""
        return key_of(self.cells[member], self.device)

    def data(self, member: str) -> str:
        """The data set of a cell."""
        return self.cells[member].data.name

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        """Train cells of one shape."""
        return trained([self.cells[member] for member in members])

    @property
    def document(self) -> dict[str, Any]:
        """What `sweep --json` prints, of the cells measured so far."""
        return {
            "schema": 1,
            "experiment": self.experiment.model_dump(mode="json"),
            "sweep": self.options.stored(),
            "cells": [self._cell(name) for name in self.cells if name in self.results],
            "expected": len(self.cells),
            "shapes": len(set(self.families.values())),
            "seconds": self.seconds,
            "device": self.device,
        }

    def _cell(self, name: str) -> dict[str, Any]:
        changes = self.options.values(self.cells[name])
        return {"name": name, "changes": changes, **self.results[name]}

    def _values(self, bulk: bool) -> dict[str, Value]:
        done = [name for name in self.cells if name in self.results]
        return picture.values(self.options, [(self.options.values(self.cells[n]), self.results[n]) for n in done])


JOBS = {"sweep": Sweep}
