"""A finding, measured network by network."""

import hashlib
from collections.abc import Hashable, Sequence
from typing import Any

from pcviz.frames import Value
from pcviz.instruments.reproduce.measures import MEASURES
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.picture import claims_of, curves_of, outline_of
from pcviz.instruments.reproduce.study import Cells, document_of
from pcviz.jobs.code import code_version
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work


class Reproduce(Group[Options]):
    """A run of kind "reproduce". Its members are the cells of its protocol; the experiment does not matter."""

    KIND, OPTIONS = "reproduce", Options

    def _begin(self) -> None:
        super()._begin()
        self.protocol: Any = self.options.chosen
        self.cells: dict[str, Any] = self.protocol.cells
        self.by = MEASURES[self.options.finding]

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        """Measure cells."""
        return self.by.measure([self.cells[member] for member in members], self.protocol)

    def family(self, member: str) -> Hashable:
        """Cells of one family share compiled programs."""
        return self.by.family(self.cells[member], self.protocol)

    def most_together(self, member: str) -> int:
        """How many cells of its family are measured together at most."""
        return self.by.most_together(self.cells[member], self.protocol)

    def key(self, member: str) -> str:
        """Cells of other runs with the same key have the same result."""
        cell = self.cells[member]
        if self.by.key is not None:
            return self.by.key(cell, self.protocol, self.device)
        whole = f"{self.options.finding} {cell} {self.protocol} {code_version(self.device)}"
        return hashlib.sha256(whole.encode()).hexdigest()

    @property
    def found(self) -> Cells:
        """What was measured so far, cell by cell."""
        return [{**cell._asdict(), **self.results[name]} for name, cell in self.cells.items() if name in self.results]

    @property
    def document(self) -> dict[str, Any]:
        """What `reproduce --json` prints, of the cells measured so far."""
        made = document_of(self.options.finding, self.options.study, self.found, self.protocol)
        return made | {"seconds": self.seconds, "device": self.device}

    def _values(self, bulk: bool) -> dict[str, Value]:
        report = self.options.study.report(self.found, self.protocol)
        told: dict[str, Value] = {"finding_claims": claims_of(report.claims), "finding_outline": outline_of(report)}
        return {**curves_of(report.charts), **told}


JOBS = {"reproduce": Reproduce}
