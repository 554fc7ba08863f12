"""Signs: what is unusual, but no cause of its own. Shown under the cause that explains it, or as harmless."""

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.evidence import END, Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule, layers_text
from pcviz.instruments.diagnosis.twins import TWINS

SPIKE_WINDOW = 5
"""Recorded losses that a spike is compared with."""


def blown_up(evidence: Evidence) -> Finding | None:
    """The training did not stay finite."""
    if not evidence.diverged:
        return None
    steps = evidence.of_twin("twin_steps", "own")
    return Finding(
        steps,
        evidence.experiment.learning.steps,
        f"The energy or the weights are no longer finite after {steps:.0f} weight steps.",
        "The training diverged.",
        "It stops there.",
    )


def _energies(evidence: Evidence) -> np.ndarray:
    """E_l of layers 1 … L at the end of the relaxation, half the mean square of their errors; empty for backprop."""
    error = evidence.probe("vital_error", END)
    return error**2 / 2 if len(error) and np.isfinite(error).all() else np.array([])


def imbalanced(evidence: Evidence) -> Finding | None:
    """Energies of layers differ by many decades."""
    energies = _energies(evidence)
    if not len(energies) or not energies.max():
        return None
    least = max(float(energies.min()), 1e-300)
    decades = float(np.log10(energies.max() / least))
    if decades <= limit.IMBALANCE.value:
        return None
    layer = int(energies.argmin()) + 1
    return Finding(
        decades,
        limit.IMBALANCE.value,
        f"The energy of layer {layer} is {decades:.0f} decades below that of layer {int(energies.argmax()) + 1}.",
        "The energy is spread unevenly over the layers.",
        layers=(layer,),
    )


def at_output(evidence: Evidence) -> Finding | None:
    """Nearly all the energy stays at the output."""
    energies = _energies(evidence)
    if not len(energies) or not energies.sum():
        return None
    share = float(energies[-1] / energies.sum())
    if share <= limit.AT_OUTPUT.value:
        return None
    return Finding(
        share,
        limit.AT_OUTPUT.value,
        f"{100 * share:.2f} % of the squared errors are those of the output.",
        "The energy is stuck at the output.",
        layers=(len(energies),),
    )


def below_rounding(evidence: Evidence) -> Finding | None:
    """Errors that are only rounding."""
    error, floor = evidence.probe("vital_error", END), evidence.probe("vital_floor", END)
    low = (
        [int(i) + 1 for i in np.flatnonzero((error > 0) & (error <= floor) & np.isfinite(error))] if len(error) else []
    )
    if not low:
        return None
    return Finding(
        min(float(error[layer - 1] / floor[layer - 1]) for layer in low),
        1.0,
        f"The errors of {layers_text(low)} are not larger than rounding.",
        "These errors drown in rounding.",
        layers=tuple(low),
    )


def unsettled(evidence: Evidence) -> Finding | None:
    """The energy still falls when the relaxation ends."""
    energies = evidence.probe("vital_energy", END)
    if len(energies) < 2 or not np.isfinite(energies).all() or not energies[-2]:
        return None
    rows = np.asarray(evidence.values["vital_rows"])
    change = float(abs(energies[-1] - energies[-2]) / energies[-2] / max(int(rows[-1] - rows[-2]), 1))
    if change <= limit.UNSETTLED.value:
        return None
    return Finding(
        change,
        limit.UNSETTLED.value,
        f"In the last inference step the energy still changes by {100 * change:.2g} %.",
        "The relaxation ends before the activities have settled.",
    )


def oscillates(evidence: Evidence) -> Finding | None:
    """The energy rises again and again on its way."""
    energies = evidence.probe("vital_energy", END)
    if len(energies) < 3 or not np.isfinite(energies).all():
        return None
    rises = float(np.mean(np.diff(energies) > energies[:-1] * limit.UNSETTLED.value))
    if rises <= limit.RISING.value:
        return None
    return Finding(
        rises,
        limit.RISING.value,
        f"The energy rises in {100 * rises:.0f} % of the recorded inference steps.",
        "The relaxation oscillates.",
    )


def falsely_settled(evidence: Evidence) -> Finding | None:
    """The energy has settled, but layers have no error yet."""
    error, floor = evidence.probe("vital_error", END), evidence.probe("vital_floor", END)
    backprop = evidence.probe("vital_backprop", END)
    low = [int(i) + 1 for i in np.flatnonzero((error <= floor) & (backprop > 0))] if len(error) else []
    if not low or len(evidence.probe("vital_energy", END)) < 2 or unsettled(evidence):
        return None
    return Finding(
        float(len(low)),
        0.0,
        f"The energy has settled, but {layers_text(low)} {'have' if len(low) > 1 else 'has'} no error above rounding.",
        "Layers that were never touched look as if they had settled.",
        layers=tuple(low),
    )


def starved_middle(evidence: Evidence) -> Finding | None:
    """The energies of the middle layers are far below those of both ends."""
    energies = _energies(evidence)
    if len(energies) < 4 or not energies.all():
        return None
    value = float(energies[1:-1].min() / min(energies[0], energies[-1]))
    if value >= limit.MIDDLE.value:
        return None
    layer = int(energies[1:-1].argmin()) + 2
    return Finding(
        value,
        limit.MIDDLE.value,
        f"The energy of layer {layer} is {-np.log10(value):.0f} decades below those of the first and the last.",
        "The middle of the network gets less error than both of its ends.",
        layers=(layer,),
    )


def spikes(evidence: Evidence) -> Finding | None:
    """The training loss jumps far above what it has just been."""
    curve = evidence.values.get("twin_curve")
    if curve is None:
        return None
    losses = np.asarray(curve)[:, TWINS.index("own")]
    losses = losses[np.isfinite(losses)]
    usual = np.array([np.median(losses[max(0, i - SPIKE_WINDOW) : i]) for i in range(1, len(losses))])
    count = int(np.sum(losses[1:] > limit.SPIKE.value * usual)) if len(usual) else 0
    if not count:
        return None
    return Finding(
        float(count),
        0.0,
        f"{count} of {len(losses)} recorded losses are more than {limit.SPIKE.value:g} times the median of the "
        f"{SPIKE_WINDOW} before.",
        "The training loss has spikes.",
    )


RULES = {
    "D22": Rule("training diverged", "docs/diagnosis.md", blown_up, sign=True),
    "D7": Rule("energy imbalance", "Pinchetti et al. 2024", imbalanced, ("vital_error",), sign=True),
    "D8": Rule("energy stuck at the output", "Qi et al. 2025", at_output, ("vital_error",), sign=True),
    "D21": Rule("errors below rounding", "docs/theory.md 6.3", below_rounding, ("vital_error",), sign=True),
    "D4": Rule("relaxation oscillates", "docs/theory.md 4.1", oscillates, ("vital_energy",), sign=True),
    "D6": Rule("falsely settled", "Goemaere et al. 2025", falsely_settled, ("vital_error", "vital_energy"), sign=True),
    "D9": Rule("middle layers starve", "docs/diagnosis.md", starved_middle, ("vital_error",), sign=True),
    "D16": Rule("loss spikes", "Pinchetti et al. 2024", spikes, sign=True),
    "D5": Rule("relaxation not settled", "docs/theory.md 3.4", unsettled, ("vital_energy",), sign=True),
}
