"""Every threshold of the diagnosis, with its source. docs/diagnosis.md has the cases that they were calibrated on."""

from typing import NamedTuple


class Threshold(NamedTuple):
    """A value beyond which a rule finds something, and where it comes from."""

    value: float
    source: str


FAILS = Threshold(5.0, "definition: points of accuracy lost to the best twin")
COSTS = Threshold(3.0, "calibrated: points; twins from one seed differ by less")
DISAGREE = Threshold(0.1, "calibrated: share of test examples on which twins disagree; two standard errors count")
LEAD = Threshold(
    0.25, "calibrated: share of the weight steps; a twin that is ahead by fewer is a little faster, not better"
)
LEAVES = Threshold(1.0, "definition: points; below this nothing is said to be left")
LOSS_POINTS = Threshold(2.0, "definition: per cent of the loss of chance that count as a point without classes")
RISES = Threshold(0.05, "calibrated: share by which the energy may rise; stable relaxations descend")
HEARD_GAIN = Threshold(0.05, "calibrated: share of the layers' alignment that a treated relaxation wins back")
FINE = Threshold(0.8, "calibrated: mean alignment of the layers beyond which gradients are not to blame")
DECADES = Threshold(2.0, "calibrated: decades over the whole depth")
QUIET = Threshold(0.5, "D12 in docs/diagnosis.md: share of the units of a layer")
COLLAPSED = Threshold(1.5, "definition: effective rank of activities that hold one direction")
TREND = Threshold(1.0, "calibrated: decades from the first hidden layer to the last")
STEP_LARGE = Threshold(0.2, "docs/health.md: greatest |dW|/|W| of networks that learned")
STEP_SMALL = Threshold(1e-4, "docs/health.md: least |dW|/|W| of networks that learned")
STARVED = Threshold(0.5, "D13 in docs/diagnosis.md: share of a step that Adam's epsilon leaves")
SPREAD = Threshold(1e2, "D14 in docs/diagnosis.md: greatest over least |dW|/|W| of the layers")
IMBALANCE = Threshold(6.0, "D7 in docs/diagnosis.md: decades between the energies of two layers")
AT_OUTPUT = Threshold(0.99, "D8 in docs/diagnosis.md: share of the energy")
UNSETTLED = Threshold(1e-3, "D5 in docs/diagnosis.md: relative change of the energy in the last step")
RISING = Threshold(0.2, "D4 in docs/diagnosis.md: share of the inference steps in which the energy rises")
MIDDLE = Threshold(1e-4, "D9 in docs/diagnosis.md: least energy of the middle over that of the ends")
SPIKE = Threshold(5.0, "D16 in docs/diagnosis.md: a loss over the median of those before")
CONSTANT = Threshold(0.3, "calibrated: share of inputs that never change; 0.05 of the digits")
SCALE = Threshold(10.0, "definition: inputs are standardised within a factor")
SHARE = Threshold(0.8, "calibrated: share of the most frequent class")
BEHIND = Threshold(5.0, "definition: points behind the nearest training examples")
CHANCE = Threshold(3.0, "definition: points above chance, besides three standard errors")
