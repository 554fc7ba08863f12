"""Options of a look at the toy chains: which chain is drawn, and how the chains race.

A chain has one unit in each of its H hidden layers, so L = H + 1 weights w_1 … w_L, and learns y = -x (theory.md 4.7).
The vocabulary that page, job and figures share.
"""

from typing import ClassVar

from pcviz.experiment import Experiment, option
from pcviz.experiment.looks import LookOptions, Parts

DEEPEST = 5
"""The race is run by chains of 1 … 5 hidden units."""

RULES = ("BP", "PC", "PC at equilibrium")
"""Learning rules that race, in the order of the columns of the channels `race_…`."""

POINT_TYPES = ("minimum", "strict saddle", "degenerate saddle")
"""Critical points: channels `chain_type_…` hold positions in this list, or -1 where the point is not critical."""

ESCAPED = 0.25
"""A racer has escaped from the saddle at the origin when its loss falls below this; there it is 0.505."""

INPUT_MEAN, INPUT_STD = 1.0, 0.1
POWER = INPUT_MEAN**2 + INPUT_STD**2
"""<x²> of the inputs, the s of theory.md 4.7."""

FLOW_TIME = 4.0
"""How long the lines of gradient flow in the plane are, in units of time (learning rate × updates)."""

SPAN = 2.5
"""The plane reaches from -SPAN to SPAN in both weights."""


class Options(LookOptions):
    """The options of a run of kind "chain".

    The plane shows the loss and the equilibrated energy of a chain against its last two weights. Chains of 1 … 5 hidden
    units race, each from several starts with each rule: gradient descent, and PC that infers by Euler steps.
    """

    PAGE: ClassVar[str] = "landscape"
    OF_NETWORK: ClassVar[bool] = False
    KEYS: ClassVar[dict[str, str]] = {
        "chain_hidden": "hidden",
        "chain_fixed": "fixed",
        "chain_rate": "learning_rate",
        "chain_steps": "inference_steps",
        "chain_dt": "dt",
        "chain_seeds": "seeds",
        "chain_cap": "cap",
    }

    hidden: int = option(1, "Hidden units", "Of the chain that is drawn.", ge=1, le=DEEPEST)
    fixed: float = option(0.5, "Other weights", "Value of those not drawn.", ge=-2, le=2)
    seeds: int = option(5, "Seeds", "Starts of each racer.", ge=1, le=10)
    learning_rate: float = option(0.4, "Learning rate", "Of both rules.", gt=0, le=2)
    inference_steps: int = option(20, "Inference steps T", "Of PC, before each update.", ge=1, le=1000)
    dt: float = option(0.1, "Step size dt", "Of each inference step.", gt=0, le=1)
    cap: int = option(20_000, "Cap", "Updates until a racer is stopped.", ge=100, le=1_000_000)

    @property
    def drawn(self) -> tuple[int, int]:
        """Numbers of the two weights of the plane, counted from 1: L - 1 and L."""
        return self.hidden, self.hidden + 1

    def own_parts(self, experiment: Experiment) -> Parts:
        """The plane, and the races; the experiment does not matter."""
        return {"plane": 0.1, "races": DEEPEST * self.cap * (4e-5 + 1.4e-6 * self.inference_steps)}


KINDS = {"chain": Options}
