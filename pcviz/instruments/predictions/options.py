"""What is shown of the data and of the network's answers, and the limits of it."""

from math import isqrt

from pydantic import Field

from pcviz.experiment import DatasetFacts
from pcviz.experiment.looks import AtStep

PIECE = 256
"""Most examples in one call of the feedforward pass."""
POINTS = 2000
"""Most test examples that are drawn as points: the first ones."""
CLASSES = 64
"""Most classes of a confusion matrix."""
INPUTS = 4096
"""Most inputs of an example that is sent: an image of 64 × 64."""


class Options(AtStep):
    """What a run of kind "predictions" is told besides its parent: the most examples of each row, the worst mistakes
    among them."""

    examples: int = Field(24, ge=1, le=48)


KINDS = {"predictions": None}
"""Kind of runs -> model of their options; None: any object."""


def image_side(facts: DatasetFacts) -> int | None:
    """Pixels on a side, if the inputs can be seen as a square image of 3 × 3 to 64 × 64; otherwise None."""
    side = isqrt(facts.input_dim)
    return side if side * side == facts.input_dim and 9 <= facts.input_dim <= INPUTS else None
