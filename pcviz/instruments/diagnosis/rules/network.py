"""Does the network carry a signal up and down, and can it represent what it is to learn?"""

from collections.abc import Callable

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.evidence import START, Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule, layers_text, points_text
from pcviz.instruments.diagnosis.treatments import TREATMENTS


def scaled(evidence: Evidence) -> Finding | None:
    """Activities or backprop's signals vanish or explode on their way through the layers, and that costs something."""
    points = evidence.blamed().get("scaling", np.nan)
    activity = evidence.probe("vital_activity", START)
    if len(activity) < 2 or (np.isnan(points) and "scaling" in evidence.planted()):
        return None
    trend = float(np.log10(max(activity[-1], 1e-300)) - np.log10(max(activity[0], 1e-300)))
    rank, quiet = evidence.probe("vital_rank", START), evidence.probe("vital_quiet", START)
    if np.isnan(points) and abs(trend) < limit.TREND.value:
        return None
    if not np.isfinite(activity).all() or trend >= limit.TREND.value:
        what, cause = f"activities grow by {trend:.1f} decades", "Activities explode on their way up"
    elif trend <= -limit.TREND.value:
        what, cause = f"activities shrink by {-trend:.1f} decades", "The signal vanishes on its way up"
    elif quiet.max(initial=0) > limit.QUIET.value:
        what, cause = f"up to {100 * quiet.max():.0f} % of a layer's units are saturated or dead", "Units saturate"
    elif rank[-1] < limit.COLLAPSED.value < rank[0]:
        what = (
            f"the activities of a batch span {rank[0]:.1f} dimensions in the first layer and {rank[-1]:.1f} in the last"
        )
        cause = "All examples become alike on their way up"
    else:
        what, cause = "signals neither vanish nor explode at the start", "The network is scaled so that it learns badly"
    return Finding(
        trend,
        limit.TREND.value,
        f"From the first hidden layer to the last {what}.",
        f"{cause}: weights of this scale{'' if evidence.experiment.network.skips else ', without skips,'} do not suit "
        f"{evidence.experiment.network.depth} layers.",
        "Backprop fails in this network too: no relaxation can make up for it.",
        remedy=TREATMENTS["scaling"].changes(evidence.experiment),
        points=points,
    )


def blame_text(evidence: Evidence, name: str, points: float) -> str:
    """What shows that a setting of network or learning is to blame."""
    label = TREATMENTS[name].label
    if points != evidence.planted().get(name):
        return f"With a sound value of {label} alone this network gains {points_text(points)}."
    return f"A sound network with {label} of this one loses {points_text(points)} under backprop."


def planted(name: str, cause: str, consequence: str) -> Callable[[Evidence], Finding | None]:
    """A rule for a setting that is to blame if a sound network with it loses something."""

    def find(evidence: Evidence) -> Finding | None:
        points = evidence.blamed().get(name)
        if points is None:
            return None
        changes = TREATMENTS[name].changes(evidence.experiment)
        return Finding(
            points,
            evidence.costs,
            blame_text(evidence, name, points),
            cause,
            consequence,
            remedy=changes,
            points=points,
        )

    return find


def biased(evidence: Evidence) -> Finding | None:
    """The data need biases, and the network has none."""
    points = evidence.points("biased", evidence.healthy)
    if np.isnan(points) or points < evidence.costs:
        return None
    return Finding(
        points,
        evidence.costs,
        f"With biases a sound network gains {points_text(points)} under backprop.",
        "The network has no biases: it is odd (tanh) or homogeneous (relu) in its inputs, which these data are not.",
        "No training can fit them: the function is out of the network's reach.",
        remedy={"network.biases": True},
        points=points,
    )


def collapsed(evidence: Evidence) -> Finding | None:
    """Activities of all examples become alike, although backprop's twin learns."""
    rank = evidence.probe("vital_rank", START)
    low = [int(i) + 1 for i in np.flatnonzero(rank < limit.COLLAPSED.value)] if len(rank) else []
    if not low or rank[0] < limit.COLLAPSED.value:
        return None
    return Finding(
        float(rank.min()),
        limit.COLLAPSED.value,
        f"The activities of a batch span {rank.min():.1f} dimensions in {layers_text(low)}, {rank[0]:.1f} in layer 1.",
        "The activities of all examples become alike.",
        layers=tuple(low),
    )


def quiet(evidence: Evidence) -> Finding | None:
    """Units whose slope is 0 for the whole batch."""
    share = evidence.probe("vital_quiet", START)
    many = [int(i) + 1 for i in np.flatnonzero(share > limit.QUIET.value)] if len(share) else []
    if not many:
        return None
    return Finding(
        float(share.max()),
        limit.QUIET.value,
        f"More than half of the units of {layers_text(many)} are dead or saturated for the whole batch.",
        "Dead and saturated units pass on neither messages nor weight updates.",
        layers=tuple(many),
    )


RULES = {
    "D10": Rule("signal lost in the network", "docs/theory.md 2; Innocenti et al. 2025", scaled, ("vital_activity",)),
    "N1": Rule(
        "output scale",
        "docs/theory.md 2.3",
        planted(
            "gamma",
            "The output is divided by a γ that does not suit the targets.",
            "The network stays lazy or begins far from the targets.",
        ),
        ("twin_accuracy",),
    ),
    "N2": Rule(
        "linear network",
        "docs/theory.md 4",
        planted(
            "activation",
            "The activation is linear: all layers together are one linear map.",
            "Depth adds nothing that linear regression does not have.",
        ),
        ("twin_accuracy",),
    ),
    "N3": Rule(
        "too narrow",
        "docs/diagnosis.md",
        planted("width", "The hidden layers are too narrow.", "What is to be learned does not pass through them."),
        ("twin_accuracy",),
    ),
    "N4": Rule("no biases", "docs/diagnosis.md", biased),
    "D12": Rule("dead or saturated units", "docs/diagnosis.md", quiet, ("vital_quiet",), sign=True),
    "N5": Rule("rank collapse", "docs/diagnosis.md", collapsed, ("vital_rank",), sign=True),
}
