"""Options of a look at a plane: which weights, which plane through them, how fine.

The vocabulary that page, address and job share.
"""

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, TypeAlias

from pydantic import model_validator

from pcviz.experiment import Experiment, option
from pcviz.experiment.looks import MOST_STEPS, RUN_ID, SETTLING_PASSES, LookOptions, Parts, gradient_seconds
from pcviz.experiment.section import one_of


class Direction(NamedTuple):
    """A way to choose a plane: its label, and what its two directions are."""

    label: str
    help: str


DIRECTIONS: dict[str, Direction] = {
    "random": Direction("random", "two random directions, each row scaled to the norm of that row of the weights"),
    "path": Direction("training path (PCA)", "the two principal directions of the training path"),
    "gradients": Direction(
        "down the loss, down F*",
        "down the loss, and the part of down F* that is orthogonal to it, each as long as the weights",
    ),
    "curvature": Direction(
        "greatest and least curvature",
        "the loss's eigenvectors of greatest and least curvature, each as long as the weights",
    ),
    "run": Direction("to another run", "from these weights (0) to those of another run (1), and one random direction"),
}
"""In reading order."""
SIZES = (11, 21, 41)
if TYPE_CHECKING:
    Directions: TypeAlias = str
    Size: TypeAlias = int
else:
    Directions, Size = one_of(DIRECTIONS), one_of(SIZES)

STEPS = 60
"""Weight steps of a walk."""
WALKS = {"bp": "backprop", "pc": "predictive coding"}
"""Learning rules that walk from one point, and what they are called."""


class Options(LookOptions):
    """The options of a look at a plane. Without a span one is chosen; without a seed the random directions come from
    the experiment's seed."""

    PAGE: ClassVar[str] = "landscape"
    KEYS: ClassVar[dict[str, str]] = {
        "plane_step": "step",
        "plane_directions": "directions",
        "plane_size": "size",
        "plane_examples": "examples",
        "plane_span": "span",
        "plane_x": "center_x",
        "plane_y": "center_y",
        "plane_source": "source",
        "plane_source_step": "source_step",
    }

    step: int = option(
        0,
        "Weights after step",
        "0: fresh weights. Others come from retraining from the seed, which gives the same weights again.",
        ge=0,
        le=MOST_STEPS,
    )
    directions: Directions = "random"
    source: str | None = option(None, "Other run", 'The run that direction "run" leads to.', pattern=RUN_ID)
    source_step: int | None = option(None, "At step", "Of the other run; empty: its latest.", ge=0, le=MOST_STEPS)
    size: Size = option(21, "Points a side", "Of both surfaces.")
    span: float | None = option(
        None, "Half extent", "How far the plane reaches on each side, in lengths of its directions.", gt=0, le=1e4
    )
    center_x: float = option(0, "Centre, direction 1", "In lengths of direction 1.", ge=-1e4, le=1e4)
    center_y: float = option(0, "Centre, direction 2", "In lengths of direction 2.", ge=-1e4, le=1e4)
    examples: int = option(32, "Examples", "Both surfaces are means over these.", ge=1, le=1024)
    seed: int | None = option(None, "Seed", "Of the random directions.", ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if (self.directions == "run") != (self.source is not None):
            raise ValueError(f"source: {self.source} does not go with directions {self.directions!r} (allowed: a run)")
        if self.source is None and self.source_step is not None:
            raise ValueError(f"source_step: {self.source_step} belongs to no run (allowed: with directions 'run')")
        if self.directions == "path" and self.step < 3:
            raise ValueError(f"step: {self.step} is below 3 (allowed: 3 or more, for a path to have directions)")
        return self

    def own_parts(self, experiment: Experiment) -> Parts:
        """Both surfaces."""
        each = gradient_seconds(experiment, self.examples)
        settling = 10 if experiment.network.has_closed_form else SETTLING_PASSES
        return {"grid": 1 + self.size**2 * each * (1 + settling)}


KINDS = {"plane": Options, "walk": None}
