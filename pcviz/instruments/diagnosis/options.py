"""Options of a diagnosis: which weights are examined, after how many weight steps twins are compared."""

from typing import ClassVar

from pcviz.experiment import Experiment, option
from pcviz.experiment.cost import estimate
from pcviz.experiment.looks import MOST_STEPS, PROGRAM_SECONDS, RUN_ID, LookOptions, Parts

SECONDS = 2.0
"""About how long the experiment itself is trained, unless a number of weight steps is asked for."""
MOST_ATTEMPTS = 6
LEAST_STEPS = 10
"""After fewer weight steps twins can hardly be told apart."""


class Options(LookOptions):
    """The options of a diagnosis."""

    PAGE: ClassVar[str] = "diagnose"
    KEYS: ClassVar[dict[str, str]] = {"diagnosed_source": "source", "diagnosed_step": "step"}

    source: str | None = option(None, "Run", "Run that is diagnosed; none: the settings.", pattern=RUN_ID)
    step: int | None = option(
        None,
        "After step",
        "How many weight steps the experiment and its twins make before they are compared. Empty: as many as a few "
        "seconds allow, at most those of the experiment.",
        ge=1,
        le=MOST_STEPS,
    )
    attempts: int = option(
        0,
        "Attempts",
        "How many times remedies are tried: the worst cause's first, then those of the others with it.",
        ge=0,
        le=MOST_ATTEMPTS,
    )
    picture: bool = option(False, "Picture", "Whether the relaxation of an example is kept for the network view.")

    def compared_steps(self, experiment: Experiment) -> int:
        """After how many weight steps twins are compared; follows from the experiment alone."""
        if self.step is not None:
            return self.step
        affordable = int(SECONDS / estimate(experiment).step_seconds)
        return min(experiment.learning.steps, max(affordable, LEAST_STEPS))

    def parts(self, experiment: Experiment) -> Parts:
        """The seconds of each part: the training up to `step` is one of them."""
        return self.own_parts(experiment)

    def own_parts(self, experiment: Experiment) -> Parts:
        """The experiment's own training, its twins, and the probes."""
        count = self.compared_steps(experiment)
        own = count * estimate(experiment).step_seconds
        twin = count * estimate(experiment.with_rule("bp")).step_seconds
        return {
            "own": PROGRAM_SECONDS + own,
            "probes": 5 * PROGRAM_SECONDS,
            "twins": 2 * PROGRAM_SECONDS + 4 * twin,
            **({"remedies": self.attempts * (PROGRAM_SECONDS + own)} if self.attempts else {}),
        }


KINDS = {"diagnose": Options}
