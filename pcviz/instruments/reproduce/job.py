"""Reproductions of published findings, network by network."""

from typing import Any

import numpy as np

from pcviz.frames import Value
from pcviz.instruments.reproduce import inference_budget
from pcviz.instruments.reproduce.options import Options
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work


class Reproduce(Group[Options]):
    """A run of kind "reproduce". Its members are the networks of its protocol; the experiment does not matter."""

    KIND, OPTIONS = "reproduce", Options

    def _begin(self) -> None:
        super()._begin()
        self.protocol = self.options.chosen

    def measure(self, member: str) -> Work[dict[str, Any]]:
        """Measure all solvers on one network."""
        return inference_budget.measure(self.protocol.cells[member], self.protocol)

    def family(self, member: str) -> tuple[int, int, str]:
        """Seeds share compiled programs."""
        return self.protocol.cells[member][:3]

    @property
    def document(self) -> dict[str, Any]:
        """What `reproduce --json` prints, of the networks measured so far."""
        found = inference_budget.document(list(self.results.values()), self.protocol)
        return found | {"seconds": self.seconds, "device": self.device}

    def _values(self, bulk: bool) -> dict[str, Value]:
        found = self.document
        condition, solvers = found["condition_number"], found["solvers"]
        names = [str(depth) for depth in self.protocol.depths]
        measured = found["alignment_at_equilibrium"]
        columns = [condition["by_depth"], *(row["iterations"] for row in solvers)]
        budget = np.array([[column.get(depth) for column in columns] for depth in names], float)
        caps = [[0, *(row["caps"][depth] for row in solvers)] for depth in names]
        late = np.isnan(budget) & np.array([[depth in measured] for depth in names])
        exponents = [condition["exponent"], *(row["exponent_of_iterations"] for row in solvers)]
        exponent = np.array([np.nan if p is None else p["value"] for p in exponents])
        interval = [(np.nan, np.nan) if p is None or p["interval"] is None else p["interval"] for p in exponents]
        power = exponent * np.log(self.protocol.depths)[:, None]
        constant = np.ma.masked_invalid(np.log(budget) - power).mean(0).filled(np.nan)
        values: dict[str, Value] = {
            "budget_depths": np.array(self.protocol.depths),
            "budget": budget,
            "budget_above_cap": np.where(late, caps, np.nan),
            "budget_fit": np.where(np.isnan(budget), np.nan, np.exp(constant + power)),
            "budget_not_arrived": float(sum(row["not_arrived"] for row in solvers)),
        }
        if not np.isnan(exponent).all():
            values |= {"budget_exponent": exponent, "budget_interval": np.array(interval).T}
        return values


JOBS = {"reproduce": Reproduce}
