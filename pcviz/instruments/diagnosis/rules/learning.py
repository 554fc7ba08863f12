"""Do the weights move by as much as they should?"""

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.evidence import END, Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule, layers_text, points_text
from pcviz.instruments.diagnosis.rules.network import blame_text, planted
from pcviz.instruments.diagnosis.treatments import TREATMENTS
from pcviz.instruments.diagnosis.twins import FACTORS, rate_of


def _rate(evidence: Evidence) -> tuple[float, bool] | None:
    """The points that the learning rate costs, and whether it is too large; None: it is not to blame."""
    points = evidence.blamed().get("rate")
    if points is not None:
        pair = ("own", evidence.whole) if evidence.settings_interact else ("sound but rate", "sound")
        own, sound = (evidence.of_twin("twin_change", name) for name in pair)
        return points, bool(np.isneginf(evidence.score(pair[0])) or own > sound)
    if evidence.make_costs or evidence.settings_interact:
        return None  # then other rates may help against what other settings do
    gains = {name: evidence.points(name, "own") for name in FACTORS}
    name = max(gains, key=lambda name: np.nan_to_num(gains[name], nan=-np.inf))
    if gains[name] >= evidence.costs and gains[name] >= 0.5 * evidence.left:
        return gains[name], name == "slower"
    return None


def _moved(evidence: Evidence) -> str:
    """How far the weights move, in words."""
    moved = 100 * evidence.of_twin("twin_change", "own")
    return f"Weights that move change by {moved:.2g} % of their size in a step (median)"


def large(evidence: Evidence) -> Finding | None:
    """A smaller learning rate learns better."""
    found = _rate(evidence)
    if found is None or not found[1]:
        return None
    return Finding(
        evidence.of_twin("twin_change", "own"),
        limit.STEP_LARGE.value,
        f"{_moved(evidence)}; with a smaller rate the twin gains {points_text(found[0])}.",
        "The learning rate is too large: each step throws away what the ones before have learned.",
        "The loss jumps instead of falling, and weights grow until units saturate.",
        remedy=_remedy(evidence, "slower"),
        points=found[0],
    )


def small(evidence: Evidence) -> Finding | None:
    """A larger learning rate learns better."""
    found = _rate(evidence)
    if found is None or found[1]:
        return None
    return Finding(
        evidence.of_twin("twin_change", "own"),
        limit.STEP_SMALL.value,
        f"{_moved(evidence)}; with a larger rate the twin gains {points_text(found[0])}.",
        "The learning rate is too small for what the weights get.",
        "After as many steps a sound network has learned far more.",
        remedy=_remedy(evidence, "faster"),
        points=found[0],
    )


def _remedy(evidence: Evidence, name: str) -> dict[str, object]:
    experiment = evidence.experiment
    if "rate" in evidence.blamed():
        return TREATMENTS["rate"].changes(experiment)
    return {"learning.learning_rate": rate_of(experiment) * FACTORS[name]}


def starved(evidence: Evidence) -> Finding | None:
    """Adam's epsilon is larger than the gradients of some layers."""
    learning = evidence.experiment.learning
    changes = TREATMENTS["epsilon"].changes(evidence.experiment)
    gradient = evidence.probe("vital_gradient", END)
    if learning.optimiser == "sgd" or not changes or not len(gradient):
        return None
    share = np.nan_to_num(gradient) / (np.nan_to_num(gradient) + learning.adam_epsilon)
    low = [int(i) + 1 for i in np.flatnonzero(share < limit.STARVED.value)]
    points = evidence.blamed().get("epsilon")
    if not low or (points is None and evidence.left < limit.LEAVES.value):
        return None
    return Finding(
        float(share.min()),
        limit.STARVED.value,
        f"In {layers_text(low)} the gradients are smaller than Adam's ε = {learning.adam_epsilon:g}.",
        "Adam's ε is larger than the gradients, and so divides them by a constant instead of by their size.",
        "These layers hardly move.",
        layers=tuple(low),
        remedy=changes,
        points=evidence.left if points is None else points,
    )


def uneven(evidence: Evidence) -> Finding | None:
    """Some layers move far more than others, because they are told to."""
    points = evidence.blamed().get("layers")
    if points is None:
        return None
    changes = np.asarray(evidence.values["weight_changes"])
    spread = float(changes.max() / max(changes.min(), 1e-300))
    return Finding(
        spread,
        limit.SPREAD.value,
        f"The layer that moves most moves {spread:.2g} times as far as the one that moves least. "
        f"{blame_text(evidence, 'layers', points)}",
        "The learning rates by layer do not suit the network.",
        "Some layers learn too fast or not at all.",
        remedy=TREATMENTS["layers"].changes(evidence.experiment),
        points=points,
    )


RULES = {
    "D15": Rule("learning rate too large", "Pinchetti et al. 2024", large, ("twin_change",)),
    "R1": Rule("learning rate too small", "docs/health.md", small, ("twin_change",)),
    "D13": Rule("gradients below Adam's ε", "docs/diagnosis.md", starved, ("vital_gradient",)),
    "R2": Rule(
        "weight decay too strong",
        "docs/diagnosis.md",
        planted(
            "decay", "Weight decay pulls weights to zero faster than they learn.", "Outputs shrink towards nothing."
        ),
        ("twin_accuracy",),
    ),
    "R3": Rule(
        "weight norm",
        "docs/theory.md 2.4",
        planted(
            "norm",
            "Weights are rescaled to a norm that does not suit the network.",
            "What was learned is scaled away after every step, or signals grow with depth.",
        ),
        ("twin_accuracy",),
    ),
    "D14": Rule("layers learn unevenly", "docs/health.md", uneven, ("weight_changes",)),
}
