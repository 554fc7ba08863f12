"""Reproductions of published findings, network by network."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from pcviz.frames import Value
from pcviz.instruments.reproduce import backprop, conditioning, deep_methods, forward_pass, inference_budget, transfer
from pcviz.instruments.reproduce.options import Options
from pcviz.instruments.reproduce.start_options import KINDS, Place, Start
from pcviz.jobs.cohort import lanes_of
from pcviz.jobs.group import Group
from pcviz.numerics.krylov import Work


class Finding(NamedTuple):
    """How the networks of a finding are measured, and the document and the channels of a frame made; which of them go
    together, and how many at most."""

    measure: Callable[[Sequence[Any], Any], Work[list[dict[str, Any]]]]
    document: Callable[[list[dict[str, Any]], Any], dict[str, Any]]
    values: Callable[[dict[str, Any], Any], dict[str, Value]]
    family: Callable[[Any, Any], Hashable] = lambda cell, protocol: cell[:-1]  # all but the seed
    most_together: Callable[[Any, Any], int] = lambda cell, protocol: 1


def one_by_one(
    measure: Callable[[Any, Any], Work[dict[str, Any]]],
) -> Callable[[Sequence[Any], Any], Work[list[dict[str, Any]]]]:
    """Measures networks after one another."""

    def measured(cells: Sequence[Any], protocol: Any) -> Work[list[dict[str, Any]]]:
        found = []
        for cell in cells:
            found.append((yield from measure(cell, protocol)))
        return found

    return measured


_TRANSFER = Finding(
    transfer.measure,
    transfer.document,
    transfer.values,
    lambda point, protocol: (point.size, lanes_of(protocol.experiment_of(point))),
    lambda point, protocol: lanes_of(protocol.experiment_of(point)),
)


def _shape(place: Place, protocol: Start) -> Hashable:
    return place.width, place.depth, KINDS[place.kind].changes["network.skips"]


FINDINGS = {
    "inference-budget": Finding(
        one_by_one(inference_budget.measure), inference_budget.document, inference_budget.values
    ),
    "deep-methods": Finding(one_by_one(deep_methods.measure), deep_methods.document, deep_methods.values),
    "transfer-width": _TRANSFER,
    "transfer-depth": _TRANSFER,
    "forward-pass": Finding(one_by_one(forward_pass.measure), forward_pass.document, forward_pass.values, _shape),
    "conditioning": Finding(one_by_one(conditioning.measure), conditioning.document, conditioning.values, _shape),
    "pc-is-bp": Finding(one_by_one(backprop.measure), backprop.document, backprop.values),
}


class Reproduce(Group[Options]):
    """A run of kind "reproduce". Its members are the networks of its protocol; the experiment does not matter."""

    KIND, OPTIONS = "reproduce", Options

    def _begin(self) -> None:
        super()._begin()
        self.protocol: Any = self.options.chosen
        self.networks: dict[str, Any] = self.protocol.cells
        self.finding = FINDINGS[self.options.finding]

    def measure(self, members: Sequence[str]) -> Work[list[dict[str, Any]]]:
        """Measure the networks."""
        return self.finding.measure([self.networks[member] for member in members], self.protocol)

    def family(self, member: str) -> Hashable:
        """Networks of one family share compiled programs."""
        return self.finding.family(self.networks[member], self.protocol)

    def most_together(self, member: str) -> int:
        """How many networks of its family are measured together at most."""
        return self.finding.most_together(self.networks[member], self.protocol)

    @property
    def document(self) -> dict[str, Any]:
        """What `reproduce --json` prints, of the networks measured so far."""
        measured = [self.results[name] for name in self.networks if name in self.results]
        found = self.finding.document(measured, self.protocol)
        return found | {"seconds": self.seconds, "device": self.device}

    def _values(self, bulk: bool) -> dict[str, Value]:
        return self.finding.values(self.document, self.protocol)


JOBS = {"reproduce": Reproduce}
