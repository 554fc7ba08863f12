"""Options of a sweep: what varies."""

from typing import Any, ClassVar

from pydantic import field_validator

from pcviz.experiment import Experiment, cost, option
from pcviz.experiment.axes import MOST_CELLS, SEED, Axis, axis, cells
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, GroupOptions, Parts
from pcviz.experiment.schema import flatten
from pcviz.experiment.section import one_of
from pcviz.experiment.shape import shape_of
from pcviz.instruments.sweep.quantities import QUANTITIES

SHAPE_SECONDS = 3 * PROGRAM_SECONDS
"""Time to compile the programs of one shape."""
CELL_SECONDS = 0.005
"""Time of a cell besides its weight steps."""


class Options(GroupOptions):
    """Which options of the experiment vary, as text (`pcviz.experiment.axes`): all combinations, or `samples` random
    ones. `quantity` is what the picture shows."""

    PAGE: ClassVar[str] = "scaling"
    KEYS: ClassVar[dict[str, str]] = {"vary": "vary", "quantity": "quantity"}

    vary: tuple[str, ...] = ("learning.learning_rate=log:1e-3..1:7", "network.width=16,32,64,128")
    samples: int | None = option(
        None, "Random cells", "Empty: all combinations. A number: that many at random.", ge=1, le=MOST_CELLS
    )
    quantity: one_of(QUANTITIES) = "loss"  # type: ignore[valid-type]

    @field_validator("vary", mode="after")
    @classmethod
    def _axes(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            axis(text)
        return texts

    @property
    def axes(self) -> list[Axis]:
        """What varies, seeds last."""
        return sorted(map(axis, self.vary), key=lambda each: each.path == SEED)

    @property
    def grid_axes(self) -> list[Axis]:
        """What varies besides seeds."""
        return [each for each in self.axes if each.path != SEED]

    def cells(self, experiment: Experiment) -> dict[str, Experiment]:
        """The experiments by name, coarse to fine. Raises ValueError with one line where one is not possible."""
        return cells(experiment, self.vary, self.samples)

    def values(self, cell: Experiment) -> dict[str, Any]:
        """The options of a cell that vary, by field path."""
        taken = flatten(cell.model_dump())
        return {each.path: taken[each.path] for each in self.axes}

    def own_parts(self, experiment: Experiment) -> Parts:
        """The cells; the first of each shape compiles for all of them."""
        found: Parts = {}
        known = set()
        for name, cell in self.cells(experiment).items():
            found[name] = CELL_SECONDS + PAIRED * cost.estimate(cell).seconds
            if (shape := shape_of(cell)) not in known:
                known.add(shape)
                found[name] += SHAPE_SECONDS
        return found


KINDS = {"sweep": Options}
