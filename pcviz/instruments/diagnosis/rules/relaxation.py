"""Does the relaxation bring every layer an error that its weights can learn from?"""

from collections.abc import Callable

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.evidence import END, START, Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule, layers_text, points_text
from pcviz.instruments.diagnosis.treatments import TREATMENTS, Changes


def unstable(evidence: Evidence) -> Finding | None:
    """The energy rises during the relaxation, or where it may, errors grow on their way down."""
    place = START if evidence.energy_rises(START) else END
    if place == END and ((growing := _growing(evidence)) or not evidence.energy_rises(END)):
        return growing
    inference = evidence.experiment.inference
    energies = evidence.probe("vital_energy", place)
    curvature = evidence.probe("vital_curvature", place)
    memory = inference.momentum if inference.solver == "momentum" else 0.0
    largest = float(curvature) if np.size(curvature) else np.nan
    value, threshold = inference.step_size * largest, 2 * (1 + memory)
    end = f"{energies[-1]:.3g}" if np.isfinite(energies[-1]) else "infinity"
    told = f"The energy goes from {energies[0]:.3g} to {end} in {evidence.experiment.inference_steps} inference steps"
    if np.isfinite(value):
        told += f"; step size × greatest curvature = {value:.3g}, stable below {threshold:.3g}"
    return Finding(
        value,
        threshold,
        f"{told}.",
        "The step size of the relaxation is too large for the curvature of the energy."
        if place == START
        else "The relaxation has become unstable during training: weights, and with them the curvature, have grown.",
        "Errors oscillate and grow instead of settling; weights learn from noise.",
        remedy=TREATMENTS["time"].changes(evidence.experiment) or {"inference.step_size": inference.step_size / 4},
        points=evidence.relaxation_points if place == START else np.nan,
    )


def _growing(evidence: Evidence) -> Finding | None:
    """Errors that grow from layer to layer, where layers move one after the other by a step larger than 1."""
    experiment = evidence.experiment
    ratio = np.nan_to_num(evidence.probe("vital_ratio", START))
    layered = experiment.inference.precision_schedule != "constant" or not experiment.learning.facts.plain
    if not layered or len(ratio) < 2 or not ratio[-1]:
        return None
    decades = float(np.log10(max(ratio[:-1].max(), 1e-300) / ratio[-1]))
    if decades < limit.DECADES.value:
        return None
    return Finding(
        decades,
        limit.DECADES.value,
        f"Against backprop's, the gradients grow by {decades:.1f} decades from the output down.",
        f"Each layer passes on more than it gets: the step size is {experiment.inference.step_size:g}.",
        "Errors explode on their way down.",
        remedy={"inference.step_size": FORWARD["inference.step_size"]},
        points=evidence.relaxation_points,
    )


def unreached(evidence: Evidence) -> Finding | None:
    """The output's error has not come down to some layers: theirs are exactly 0."""
    experiment = evidence.experiment
    error, backprop = evidence.probe("vital_error", START), evidence.probe("vital_backprop", START)
    if not experiment.learning.facts.relaxes or not len(error):
        return None
    layers = [int(i) + 1 for i in np.flatnonzero((error == 0) & (backprop > 0))]
    steps, needed = experiment.inference_steps, _needed(evidence)
    if not layers or steps >= needed:
        return None
    return Finding(
        float(steps),
        float(needed),
        f"After T = {steps} inference steps the errors of {layers_text(layers)} are exactly 0.",
        f"There are too few inference steps: an error comes down one layer a step, and the first layer needs {needed}.",
        "The weights of these layers never move.",
        layers=tuple(layers),
        remedy=_longer(evidence),
        points=evidence.relaxation_points,
    )


def _needed(evidence: Evidence) -> int:
    """Steps until the first layer can have an error."""
    experiment = evidence.experiment
    own_step = experiment.learning.facts.spikes or experiment.inference.precision_schedule != "constant"
    return experiment.network.depth if own_step else experiment.hidden_layers


def _longer(evidence: Evidence) -> Changes:
    """A relaxation with enough steps."""
    experiment = evidence.experiment
    scheduled = experiment.inference.precision_schedule != "constant"
    if scheduled or experiment.learning.forward_update or not experiment.learning.facts.plain:
        return {"inference.steps": "depth"}
    return TREATMENTS["time"].changes(experiment)


def decays(evidence: Evidence) -> Finding | None:
    """Errors arrive, but so small that they are rounding or that the optimiser does not see them."""
    experiment = evidence.experiment
    error = evidence.probe("vital_error", END)
    if not experiment.learning.facts.relaxes or not len(error) or unreached(evidence) or unstable(evidence):
        return None
    if experiment.inference.initial != "feedforward":
        return None  # errors do not come from the output alone
    deaf = [int(i) + 1 for i in np.flatnonzero(~evidence.heard(END))]
    ratio = np.log10(np.maximum(np.nan_to_num(evidence.probe("vital_ratio", END)), 1e-300))
    decades = float(ratio[-1] - ratio[:-1].min()) if len(ratio) > 1 else 0.0
    gain = evidence.gains().get("time", 0.0)
    if not (deaf or gain >= limit.HEARD_GAIN.value) or decades < limit.DECADES.value:
        return None
    heard = len(error) - len(deaf)
    who = f"{layers_text(deaf)} hear nothing above rounding or Adam's ε; " if deaf else ""
    return Finding(
        decades,
        limit.DECADES.value,
        f"Against backprop's, the gradients shrink by {decades:.1f} decades from the output down; {who}"
        f"{heard} of {len(error)} layers hear something.",
        f"The error decays on its way down: at step size {experiment.inference.step_size:g} and T = "
        f"{experiment.inference_steps} only a small part of it is passed on from layer to layer.",
        "The layers next to the input learn from rounding, or not at all.",
        layers=tuple(deaf),
        remedy=TREATMENTS["time"].changes(experiment) or FORWARD,
        points=evidence.relaxation_points,
    )


FORWARD: Changes = {
    "inference.solver": "gradient_descent",
    "inference.step_size": 0.9,
    "inference.steps": "depth",
    "inference.precision_schedule": "spiking",
    "learning.forward_update": True,
    "learning.rule": "pc",
}
"""Spiking precisions with the forward update, whose gradients are backpropagation's up to a factor for each layer."""


def misaligned(evidence: Evidence) -> Finding | None:
    """Gradients point elsewhere than backpropagation's, and a longer relaxation would bring them nearer."""
    gains = evidence.gains()
    gain = gains.get("time", 0.0)
    others = unstable(evidence) or unreached(evidence) or decays(evidence) or gain < max(gains.values(), default=0.0)
    costly = evidence.relaxation_points >= evidence.costs
    if others or not (gain >= limit.HEARD_GAIN.value or (costly and _unnamed(evidence))):
        return None
    cosine = evidence.alignment()
    return Finding(
        cosine,
        limit.FINE.value,
        f"The mean cosine of the layers' gradients with backprop's is {cosine:.2f}.",
        "The relaxation ends where gradients point elsewhere than backprop's.",
        f"Learned by backprop the same network is better by {points_text(evidence.relaxation_points)}.",
        remedy=TREATMENTS["time"].changes(evidence.experiment) or FORWARD,
        points=evidence.relaxation_points,
    )


def _unnamed(evidence: Evidence) -> bool:
    """Whether nothing else about the relaxation or the rate of learning explains what it costs."""
    named = max((gain for name, gain in evidence.gains().items() if name != "time"), default=0.0)
    rate = max(np.nan_to_num(evidence.points(name, "own")) for name in ("slower", "faster"))
    return named < limit.HEARD_GAIN.value and rate < evidence.costs


def _treated(name: str, cause: str, consequence: str) -> Callable[[Evidence], Finding | None]:
    """A rule for a setting of the relaxation that is to blame if gradients are nearer to backprop's without it, or if
    the network learns better without it."""

    def find(evidence: Evidence) -> Finding | None:
        gain, won = evidence.gains().get(name, np.nan), evidence.points(f"treated {name}", "own")
        nearer = gain >= limit.HEARD_GAIN.value and evidence.relaxation_points >= limit.LEAVES.value
        if not nearer and not won >= evidence.costs:
            return None
        told = ""
        if nearer:
            before, after = evidence.alignment(), evidence.alignment(name)
            told = f"The mean cosine of the layers' gradients with backprop's is {before:.2f}, "
            told += f"and {after:.2f} with the remedy. "
        if won >= evidence.costs:
            told += f"Trained with the remedy, the network gains {points_text(won)}."
        return Finding(
            gain,
            limit.HEARD_GAIN.value,
            told.strip(),
            cause,
            consequence,
            remedy=TREATMENTS[name].changes(evidence.experiment),
            points=float(np.nanmax([won, evidence.relaxation_points])),
        )

    return find


TREATED = {"S1": "start", "D20": "nudge", "S2": "pull", "S3": "precision"}
"""Causes that are one setting of the relaxation: its treatment."""

RULES = {
    "D3": Rule("unstable relaxation", "docs/theory.md 4.1", unstable, ("vital_energy",)),
    "D1": Rule("signal never arrives", "docs/theory.md 6.1; Qi et al. 2025", unreached, ("vital_error",)),
    "S1": Rule(
        "start of the relaxation",
        "docs/theory.md 1.4",
        _treated(
            TREATED["S1"],
            "Activities do not start at the feedforward pass: the relaxation has to undo its own start first.",
            "Errors at its end are those of the start, not of the target.",
        ),
    ),
    "D20": Rule(
        "nudge",
        "docs/theory.md 5.3",
        _treated(
            TREATED["D20"],
            "The nudge is too weak or too strong, or pushes to the wrong side.",
            "Errors drown in rounding, or are not those of the target.",
        ),
    ),
    "S2": Rule(
        "activity decay too strong",
        "docs/theory.md 5.5",
        _treated(
            TREATED["S2"],
            "Activities are pulled to zero harder than to their predictions.",
            "The relaxation ends at a shifted minimum.",
        ),
    ),
    "S3": Rule(
        "output precision",
        "docs/theory.md 1.1",
        _treated(
            TREATED["S3"],
            "The output's error counts too much or too little against those of the hidden layers.",
            "At the end of the relaxation gradients are not those that lower the loss.",
        ),
    ),
    "D2": Rule("signal decays", "docs/theory.md 6.2; Goemaere et al. 2025", decays, ("vital_error", "vital_ratio")),
    "D17": Rule("gradients point elsewhere", "docs/theory.md 4.6", misaligned),
}
