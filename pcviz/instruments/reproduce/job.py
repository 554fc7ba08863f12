"""Reproductions of published findings, network by network."""

from collections.abc import Sequence
from typing import Any

from pcviz.frames import Value
from pcviz.instruments.reproduce import deep_methods, inference_budget
from pcviz.instruments.reproduce.options import Options
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work

FINDINGS = {"inference-budget": inference_budget, "deep-methods": deep_methods}
"""Finding -> the module that measures its networks (`measure`), and makes the document and the channels of a frame."""


class Reproduce(Group[Options]):
    """A run of kind "reproduce". Its members are the networks of its protocol; the experiment does not matter."""

    KIND, OPTIONS = "reproduce", Options

    def _begin(self) -> None:
        super()._begin()
        self.protocol: Any = self.options.chosen
        self.finding: Any = FINDINGS[self.options.finding]

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        """Measure the networks."""
        found = []
        for member in members:
            found.append((yield from self.finding.measure(self.protocol.cells[member], self.protocol)))
        return found

    def family(self, member: str) -> tuple[Any, ...]:
        """Seeds, the last part of what names a network, share compiled programs."""
        return tuple(self.protocol.cells[member][:-1])

    @property
    def document(self) -> dict[str, Any]:
        """What `reproduce --json` prints, of the networks measured so far."""
        found: dict[str, Any] = self.finding.document(list(self.results.values()), self.protocol)
        return found | {"seconds": self.seconds, "device": self.device}

    def _values(self, bulk: bool) -> dict[str, Value]:
        values: dict[str, Value] = self.finding.values(self.document, self.protocol)
        return values


JOBS = {"reproduce": Reproduce}
