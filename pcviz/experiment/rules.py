"""Learning rules: facts that need no computation. The code of each is one file in `pcviz/pcn/rules`."""

from typing import NamedTuple


class RuleFacts(NamedTuple):
    """A learning rule: whether activities relax at all (`relaxes`), and whether weights move while they do."""

    label: str
    help: str
    relaxes: bool = True
    moves_weights: bool = False


RULES: dict[str, RuleFacts] = {
    "pc": RuleFacts("PC", "one weight step after T inference steps"),
    "ipc": RuleFacts("iPC", "weights and activities move together at every inference step", moves_weights=True),
    "bp": RuleFacts("BP", "backpropagation, as a baseline in the same panels", relaxes=False),
}

BASELINE = "bp"
"""The rule that others are compared with."""
