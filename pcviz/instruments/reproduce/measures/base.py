"""What is common to measuring the cells of studies."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from pcviz.experiment.shape import shape_of
from pcviz.jobs.cohort import key_of, lanes_of, trained
from pcviz.numerics.krylov import Work


class Measure(NamedTuple):
    """How cells of a protocol are measured; which of them share compiled programs, how many are measured together at
    most, and a digest of all that a result follows from, on a device (None: cell, protocol and code)."""

    measure: Callable[[Sequence[Any], Any], Work[list[dict[str, Any]]]]
    family: Callable[[Any, Any], Hashable] = lambda cell, protocol: cell[:-1]  # all but the seed
    most_together: Callable[[Any, Any], int] = lambda cell, protocol: 1
    key: Callable[[Any, Any, str], str] | None = None


def one_by_one(
    measure: Callable[[Any, Any], Work[dict[str, Any]]],
) -> Callable[[Sequence[Any], Any], Work[list[dict[str, Any]]]]:
    """Measures cells after one another."""

    def measured(cells: Sequence[Any], protocol: Any) -> Work[list[dict[str, Any]]]:
        found = []
        for cell in cells:
            found.append((yield from measure(cell, protocol)))
        return found

    return measured


def _trained(cells: Sequence[Any], protocol: Any) -> Work[list[dict[str, Any]]]:
    return trained([protocol.experiment_of(cell) for cell in cells])


def _lanes(cell: Any, protocol: Any) -> int:
    return lanes_of(protocol.experiment_of(cell))


TRAINED = Measure(
    _trained,
    lambda cell, protocol: (shape_of(protocol.experiment_of(cell)), _lanes(cell, protocol)),
    _lanes,
    lambda cell, protocol, device: key_of(protocol.experiment_of(cell), device),
)
"""Cells are short trainings, the `experiment_of` their protocol, made together. Results: those of
`pcviz.jobs.cohort.trained`, shared with sweeps and with other protocols."""
