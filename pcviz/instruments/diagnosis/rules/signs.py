"""Signs: what is unusual, but no cause of its own. Shown under the cause that explains it, or as harmless."""

import numpy as np

from pcviz.instruments.diagnosis import thresholds as limit
from pcviz.instruments.diagnosis.evidence import END, Evidence
from pcviz.instruments.diagnosis.finding import Finding, Rule, layers_text


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
    low = [int(i) + 1 for i in np.flatnonzero((error > 0) & (error <= floor))] if len(error) else []
    if not low:
        return None
    return Finding(
        float((error / np.maximum(floor, 1e-300))[np.array(low) - 1].min()),
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


RULES = {
    "D22": Rule("training diverged", "docs/diagnosis.md", blown_up, sign=True),
    "D7": Rule("energy imbalance", "Pinchetti et al. 2024", imbalanced, ("vital_error",), sign=True),
    "D8": Rule("energy stuck at the output", "Qi et al. 2025", at_output, ("vital_error",), sign=True),
    "D21": Rule("errors below rounding", "docs/theory.md 6.3", below_rounding, ("vital_error",), sign=True),
    "D5": Rule("relaxation not settled", "docs/theory.md 3.4", unsettled, ("vital_energy",), sign=True),
}
