"""Is there something to learn, and in a form that a network can learn from?"""

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.channels import BASELINES
from pcviz.instruments.diagnosis.evidence import Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule


def unrelated(evidence: Evidence) -> Finding | None:
    """No baseline and no twin predicts the test examples better than chance."""
    chance = evidence.baseline("chance")
    learners = [evidence.baseline(name) for name in BASELINES[1:]]
    best = np.nanmax([*learners, evidence.score(evidence.best)])
    if not evidence.has_classes or not np.isfinite(best) or chance > 100 * limit.SHARE.value:
        return None  # where one class has nearly all examples accuracy does not tell
    count, share = evidence.experiment.data.test_count, chance / 100
    threshold = chance + limit.CHANCE.value + 300 * np.sqrt(share * (1 - share) / count)
    if best > threshold:
        return None
    return Finding(
        best,
        threshold,
        f"The best of {len(learners)} simple learners and all twins gets {best:.1f} % of the test examples right; "
        f"always the most frequent class gets {chance:.1f} %.",
        "The targets have nothing to do with the inputs, as far as any of these learners can tell.",
        "No network can do better on new examples: look for labels that were permuted, or inputs without information.",
        points=limit.FAILS.value,
    )


def unscaled(evidence: Evidence) -> Finding | None:
    """Inputs are far from mean 0 and deviation 1."""
    mean, deviation = (np.asarray(evidence.values[f"feature_{part}"]) for part in ("mean", "deviation"))
    sizes = np.sqrt(mean**2 + deviation**2)
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return None
    most, usual = float(sizes.max()), float(np.sqrt(np.mean(sizes**2)))
    value = max(most, 1 / usual)
    if value <= limit.SCALE.value:
        return None
    word = (
        f"The largest input has an rms of {most:.3g}" if most >= 1 / usual else f"The inputs have an rms of {usual:.2g}"
    )
    return Finding(
        value,
        limit.SCALE.value,
        f"{word}; standardised inputs have 1.",
        "The inputs are not standardised: some are far larger or smaller than the network is made for.",
        "The first layer saturates or passes on one input alone, and no learning rate suits all weights.",
        points=max(evidence.left, evidence.baseline("linear") - evidence.score("own")),
    )


def constant(evidence: Evidence) -> Finding | None:
    """Many inputs never change."""
    deviation = np.asarray(evidence.values["feature_deviation"])
    share = float(np.mean(deviation == 0))
    if share <= limit.CONSTANT.value:
        return None
    return Finding(
        share,
        limit.CONSTANT.value,
        f"{np.sum(deviation == 0)} of {len(deviation)} inputs are the same in all training examples.",
        "Many inputs are constant.",
        "Their weights learn nothing; examples that differ from the training ones there change the output at random.",
        points=0.0,
    )


def imbalanced(evidence: Evidence) -> Finding | None:
    """One class has nearly all examples."""
    shares = evidence.values.get("class_share")
    if shares is None or float(np.max(np.asarray(shares))) <= limit.SHARE.value:
        return None
    shares = np.asarray(shares)
    most, chance = float(shares.max()), evidence.baseline("chance")
    gain = evidence.score("own") - chance
    return Finding(
        most,
        limit.SHARE.value,
        f"{100 * most:.0f} % of the training examples are of class {int(shares.argmax())}; the network gets "
        f"{evidence.score('own'):.1f} % right, always that class {chance:.1f} %.",
        "One class has nearly all the examples.",
        "An accuracy near that share says nothing about the rare classes: look at each class on its own.",
        points=limit.FAILS.value if gain < limit.LEAVES.value else 0.0,
    )


RULES = {
    "A1": Rule("labels unrelated to inputs", "docs/diagnosis.md", unrelated, ("baseline_accuracy",)),
    "A2": Rule("inputs badly scaled", "docs/diagnosis.md", unscaled, ("feature_deviation",)),
    "A3": Rule("constant inputs", "docs/diagnosis.md", constant, ("feature_deviation",)),
    "A4": Rule("one class dominates", "docs/diagnosis.md", imbalanced),
}
