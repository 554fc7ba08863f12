"""What a training's own numbers say of its health, and since which weight step: the signs on the Train page.

They are found in every recorded weight step, so that they follow from the experiment alone. What they cost and what
causes them is for the diagnosis to measure (docs/diagnosis.md).
"""

import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import Value

SIGNS = ("unreached", "faint", "rising", "leaping")
"""The error does not reach some layers; errors are only rounding; the energy rises during the relaxation; weights move
by a large share of their size."""
RISES = 1.05
"""Energy at the end of a relaxation over that at its start from which on it counts as rising."""
LEAPS = 0.2
"""Median |dW_l| / |W_l| above which weights leap: networks that learned stay below (docs/health.md)."""
AWAY = 50
"""Weight steps for which a sign must have been away to begin anew: those that come and go begin once."""


class Watch:
    """The signs of a training so far: `since` which step each has been there without a break, NaN: not now; and how
    many layers the first two concern."""

    def __init__(self, experiment: Experiment) -> None:
        fed = experiment.learning.facts.relaxes and experiment.inference.initial == "feedforward"
        self._fed = fed
        self._plain = fed and experiment.relaxes_plainly
        self._precision = experiment.network.output_precision
        self.since, self._last = np.full((2, len(SIGNS)), np.nan)
        self.layers = np.zeros(2)

    def take(
        self, steps: range, losses: np.ndarray, energies: np.ndarray, changes: np.ndarray, floors: np.ndarray
    ) -> np.ndarray:
        """Look at these weight steps: losses (M,), energies (M, L), weight changes (M, L), all 0 where they were not
        measured; `floors` (L,) are the energies of rounding. Returns which signs begin at each of them, (M, S)."""
        hidden = energies[:, :-1]
        unreached, faint = hidden == 0, (hidden > 0) & (hidden <= floors[:-1])
        rising = self._plain & (losses > 0) & (energies.sum(1) > RISES * self._precision * losses)
        leaping, measured = np.median(changes, axis=1) > LEAPS, np.any(changes, axis=1)
        all_found = np.stack([self._fed & unreached.any(1), self._fed & faint.any(1), rising, leaping], axis=1)
        began = np.zeros_like(all_found)
        for row, step, found, known in zip(began, steps, all_found, measured, strict=True):
            found[-1] = found[-1] if known else np.isfinite(self.since[-1])
            if found.any() or np.isfinite(self.since).any():
                self.since = np.where(found, np.where(np.isnan(self.since), step, self.since), np.nan)
                row[:] = found & ~(step - self._last <= AWAY)
                self._last = np.where(found, step, self._last)
        self.layers = np.array([unreached[-1].sum(), faint[-1].sum()], float)
        return began

    def values(self) -> dict[str, Value]:
        """The channels of a frame."""
        values: dict[str, Value] = {f"{sign}_since": float(step) for sign, step in zip(SIGNS, self.since, strict=True)}
        return values | {"unreached_layers": float(self.layers[0]), "faint_layers": float(self.layers[1])}

    def saved(self) -> dict[str, np.ndarray]:
        """The arrays that a checkpoint keeps."""
        return {"watch_since": self.since, "watch_last": self._last, "watch_layers": self.layers}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from the arrays of `saved`, if there are any: checkpoints of earlier versions have none."""
        if "watch_since" in arrays:
            self.since, self.layers = arrays["watch_since"], arrays["watch_layers"]
            self._last = arrays.get("watch_last", self.since)
