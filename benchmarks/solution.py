"""The result of a solver, and why it stopped, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import numpy as np

from pcviz.brief import short
from pcviz.pcn.plan import Settled


@dataclass(frozen=True)
@short
class Solution:
    """One relaxation by one of the solvers; R recorded states, row 0 = the start, H = L - 1.

    `energies` (R, L): E_1 … E_L, batch mean. `steps` (R,): the solver's step of each row. Of every hidden layer (R, H):
    `update_rms`, the change of its activities since the row before (0 in row 0), `gradient_rms`, the gradient of an
    example's energy in its activities, `activity_rms` and `error_rms`. `passes` (R,): gradient evaluations so far, one
    forward and one backward pass through the network (a forward pass alone is a half). `seconds` (R,): time so far,
    without compilation, recording and the measuring of rows. `accepted` (R,): share of examples whose last step was
    accepted, 1 where a solver accepts every step.

    `activities` [z_1 … z_H] and `errors` [e_1 … e_L] at the end, (B, N_l); `settled` is what `weight_gradients` reads.
    For pc_alm its errors are the signals u_l + rho e_l, which weights learn from.

    `stopped_by`: steps, gradient, energy, time or diverged. `unreached`: layers 1 … n whose errors are exactly zero
    because no signal has arrived yet; `false_convergence`: a rule fired nevertheless (theory.md 3.4).
    `silent` (H,): layers whose errors are below 100 roundings of their activities (theory.md 3.4).
    """

    solver: str
    energies: np.ndarray
    steps: np.ndarray
    update_rms: np.ndarray
    gradient_rms: np.ndarray
    activity_rms: np.ndarray
    error_rms: np.ndarray
    passes: np.ndarray
    seconds: np.ndarray
    accepted: np.ndarray
    activities: list[jax.Array]
    errors: list[jax.Array]
    stopped_by: str
    tolerance: float
    unreached: int
    equilibrium_energy: float | None = None
    settled: Settled = field(repr=False, kw_only=True)

    @property
    def energy(self) -> float:
        """F at the end, the mean over examples."""
        return float(self.energies[-1].sum())

    @property
    def gradient(self) -> float:
        """Rms of the last state's gradient over all hidden units."""
        return float(np.sqrt(np.mean(self.gradient_rms[-1] ** 2)))

    @property
    def false_convergence(self) -> bool:
        """A convergence rule fired although the error signal has not reached every layer."""
        return self.unreached > 0 and self.stopped_by in ("gradient", "energy")

    @property
    def silent(self) -> np.ndarray:
        """Hidden layers (H,) whose errors are below 100 roundings of their activities."""
        epsilon = np.finfo(self.activities[0].dtype).eps
        return np.asarray(self.error_rms[-1] <= 100 * epsilon * self.activity_rms[-1])

    @property
    def statement(self) -> str:
        """Why the solver stopped, in one or two sentences."""
        activity = float(np.sqrt(np.mean(self.activity_rms[-1] ** 2)))
        size, end = f"rms gradient {self.gradient:.2g}", f"step {int(self.steps[-1])}"
        least = self.equilibrium_energy or 0
        reasons = {
            "steps": f"Stopped at {end}, as asked; {size}.",
            "gradient": f"The gradient rule fired at {end}: {size} ≤ {self.tolerance:.2g} × (1 + {activity:.2g}), "
            "the rms activity.",
            "energy": f"The energy rule fired at {end}: {self.energy:.6g} is within {self.tolerance:.2g} of the "
            f"equilibrium energy {least:.6g}.",
            "time": f"Out of time at {end}; {size}.",
            "diverged": f"Diverged: the energy is not finite at {end}.",
        }
        text = reasons[self.stopped_by]
        if self.false_convergence:
            text += (
                f" It fired falsely: the errors of layers 1 to {self.unreached} are exactly zero because no signal has "
                "reached them, not because they are at equilibrium."
            )
        return text
