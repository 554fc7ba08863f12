"""When a solver has come near the equilibrium and stays there.

First crossings mislead: a solver with momentum touches the target and leaves it again (theory.md 4.10).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import numpy as np

from pcviz.jobs.descent import energy_of
from pcviz.pcn.equilibrium import METHODS, Settings
from pcviz.pcn.equilibrium.solvers import Reveal
from pcviz.pcn.network import Network

RESOLUTION = 1.02
"""Energies are looked at after every step up to 100, then every 2 %."""


class Hold:
    """Watches shares of the initial excess; `see` answers whether the present stay has lasted long enough.

    A stay begins at the first step seen with at most `share`, ends with any step above, and is long enough after
    `hold` times the steps before it, but at least `least` steps.
    """

    def __init__(self, share: float, hold: float, least: int) -> None:
        self.share, self.hold, self.least = share, hold, least
        self.since: int | None = None

    def see(self, step: int, share: float) -> bool:
        """Take in the share at a step, steps ascending."""
        if not share <= self.share:  # NaN is outside
            self.since = None
            return False
        if self.since is None:
            self.since = step
        return step - self.since >= max(self.least, self.hold * self.since)


class Arrival(NamedTuple):
    """Where the stay began: `steps`, `passes` (gradient evaluations) and the state `shown` there, all None unless it
    was held within the cap; `state` (arrived, diverged, cap); `lowest`, the lowest energy met."""

    steps: int | None
    passes: float | None
    shown: Reveal | None
    state: str
    lowest: float


def arrive(
    name: str,
    network: Network,
    batch: tuple[jax.Array, jax.Array],
    settings: Settings,
    least: float,
    watch: Hold,
    cap: int,
) -> Arrival:
    """Run a solver from the feedforward point until its excess over the energy `least` is held, `watch` being fresh.

    The stay must begin within `cap` steps; it may end after.
    """
    x, y = batch
    method = METHODS[name]
    state = method.begin(network, x, y, settings)
    first = lowest = float("nan")
    step, kept = 0, None
    while True:
        shown = method.reveal(network, x, y, state, step)
        energy = float(np.asarray(energy_of(network, y, shown)).sum())
        if not math.isfinite(energy):
            return Arrival(None, None, None, "diverged", lowest)
        if step == 0:
            first = lowest = energy
        lowest = min(lowest, energy)
        before = watch.since
        held = watch.see(step, (energy - least) / (first - least))
        if watch.since is not None and watch.since != before:
            kept = watch.since, method.cost(state, step)[0], shown
        if held and kept is not None:
            return Arrival(*kept, "arrived", lowest)
        if step >= cap and watch.since is None:
            return Arrival(None, None, None, "cap", lowest)
        after = max(step + 1, int(step * RESOLUTION))
        state = method.advance(network, x, y, state, step, after, settings)
        step = after


def lowest_energy(
    name: str, network: Network, batch: tuple[jax.Array, jax.Array], settings: Settings, steps: int
) -> tuple[float, Reveal]:
    """The energy after `steps` steps of a solver that never goes up, and the state."""
    x, y = batch
    method = METHODS[name]
    state = method.advance(network, x, y, method.begin(network, x, y, settings), 0, steps, settings)
    shown = method.reveal(network, x, y, state, steps)
    return float(np.asarray(energy_of(network, y, shown)).sum()), shown
