"""Sweeps: every cell is a short training, and cells of one shape are trained together."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from pcviz.experiment.shape import shape_of
from pcviz.frames import Value
from pcviz.instruments.sweep.options import Options
from pcviz.instruments.sweep.quantities import QUANTITIES
from pcviz.jobs.cohort import lanes_of, trained
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work


class Sweep(Group[Options]):
    """A run of kind "sweep"; its members are the cells."""

    KIND, OPTIONS = "sweep", Options

    def _begin(self) -> None:
        super()._begin()
        self.cells = self.options.cells(self.experiment)

    def family(self, member: str) -> Hashable:
        """Cells of one shape, of which all that belong together differ in their numbers alone."""
        return shape_of(self.cells[member])

    def most_together(self, member: str) -> int:
        """How many trainings of its shape one program makes."""
        return lanes_of(self.cells[member])

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
        measured = [self.results.get(name, {}) for name in self.cells]
        values: dict[str, Value] = {
            f"sweep_{quantity}": np.array([result.get(quantity, np.nan) for result in measured])
            for quantity in QUANTITIES
        }
        diverged = [result["diverged"] for result in self.results.values()]
        return values | {"sweep_diverged": float(sum(diverged))}


JOBS = {"sweep": Sweep}
