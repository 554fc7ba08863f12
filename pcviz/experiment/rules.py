"""Learning rules: facts that need no computation. The code of each is one file in `pcviz/pcn/rules`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pcviz.experiment.descent import descent


class RuleFacts(NamedTuple):
    """A learning rule: whether activities relax at all (`relaxes`), whether weights move while they do, whether layers
    take one step each, on their own (`spikes`), and whether the relaxation is that of the energy (`plain`): only then
    do looks at relaxations show what training does, and only then does theory of the energy apply. `usual`: field path
    -> value of the relaxation that belongs to the rule, its default there."""

    label: str
    help: str
    relaxes: bool = True
    moves_weights: bool = False
    spikes: bool = False
    plain: bool = True
    usual: Mapping[str, Any] = MappingProxyType({})


RULES: dict[str, RuleFacts] = {
    "pc": RuleFacts("PC", "one weight step after T inference steps"),
    "ipc": RuleFacts("iPC", "weights and activities move together at every inference step", moves_weights=True),
    "bp": RuleFacts("BP", "backpropagation, as a baseline in the same panels", relaxes=False),
    "zil": RuleFacts(
        "Z-IL",
        "every layer moves once, when the first error arrives, and learns from that; at step size 1 backpropagation",
        spikes=True,
        plain=False,
        usual=descent(1.0, "depth"),
    ),
    "fixed_prediction": RuleFacts(
        "fixed prediction",
        "predictions stay those of the feedforward pass while errors relax; after enough steps backpropagation",
        plain=False,
        usual=descent(1.0, "depth"),
    ),
    "strict": RuleFacts(
        "strict", "Rosenbaum's name for PC by gradient descent from the feedforward pass", usual=descent(0.3, "4depth")
    ),
}

BASELINE = "bp"
"""The rule that others are compared with."""
