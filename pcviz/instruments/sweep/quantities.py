"""What a sweep measures of its cells."""

from typing import NamedTuple


class Quantity(NamedTuple):
    """A number of every cell: its label and unit, whether its scale is logarithmic, and whether small values are good.

    Cells that diverged count as infinitely bad.
    """

    label: str
    unit: str
    log: bool
    small_is_good: bool


QUANTITIES: dict[str, Quantity] = {
    "loss": Quantity("training loss", "mean of the last tenth of the steps", True, True),
    "least_loss": Quantity("least training loss", "of one batch", True, True),
    "test_loss": Quantity("test loss", "after the last step", True, True),
    "test_accuracy": Quantity("test accuracy", "share of test examples, after the last step", False, False),
}
"""Name -> facts, in reading order. The names are those of `pcviz.jobs.cohort.trained`."""
