"""When a solver has come near the equilibrium and stays there.

First crossings mislead: a solver with momentum touches the target and leaves it again (theory.md 4.10).
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import jax

from pcviz.brief import short
from pcviz.numerics.krylov import Work
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.trajectory import Trajectory

RESOLUTION = 1.02
"""Energies are checked after every step up to 100, then every 2 %."""


STANDSTILL = 0.95
"""A solver stands still when, from an eighth of its cap on, twice the steps leave at least this share of its excess.

Gradient descent's slowest mode keeps exp(-steps / kappa) of its energy when steps double, kappa = 4.4 L² for muPC with
skips: from an eighth of 10 L² on that is at most 0.75, so that only what is stuck, between kinks, stands still.
"""


class Hold:
    """Watches shares of the initial excess; `see` returns whether the present stay has lasted long enough.

    A stay begins at the first step seen with at most `share`, ends with any step above, and is long enough after
    `hold` times the steps before it, but at least `least` steps.
    """

    def __init__(self, share: float, hold: float, least: int) -> None:
        self.share, self.hold, self.least = share, hold, least
        self.since: int | None = None

    def see(self, step: int, share: float) -> bool:
        """Add the share at a step, steps ascending."""
        if not share <= self.share:  # NaN is outside
            self.since = None
            return False
        if self.since is None:
            self.since = step
        return step - self.since >= max(self.least, self.hold * self.since)


@short
class Arrival(NamedTuple):
    """Where the stay began: `steps`, `passes` (gradient evaluations) and the state `shown` there, all None unless it
    was held within the cap; `state` (arrived, diverged, stalled, cap); `lowest`, the lowest energy met."""

    steps: int | None
    passes: float | None
    shown: Settled | None
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
) -> Work[Arrival]:
    """Run a solver from the feedforward point until its excess over the energy `least` is held, `watch` being fresh;
    pauses wherever the energy is checked.

    The stay must begin within `cap` steps; it may end after.
    """
    first = lowest = float("nan")
    kept = None
    path: list[tuple[int, float]] = []
    for at in Trajectory(solver_of(name), network, *batch, settings).iterates(_seen()):
        yield
        if not math.isfinite(at.energy):
            return Arrival(None, None, None, "diverged", lowest)
        if at.step == 0:
            first = lowest = at.energy
        lowest = min(lowest, at.energy)
        before = watch.since
        held = watch.see(at.step, (at.energy - least) / (first - least))
        if watch.since is not None and watch.since != before:
            kept = watch.since, at.cost[0], at.settled
        if held and kept is not None:
            return Arrival(*kept, "arrived", lowest)
        path.append((at.step, lowest - least))
        if watch.since is None and (at.step >= cap or _stands_still(path, cap)):
            return Arrival(None, None, None, "cap" if at.step >= cap else "stalled", lowest)
    raise AssertionError("there is always another step to see")


def _seen() -> Iterator[int]:
    """The steps at which the energy is checked, without end."""
    step = 0
    while True:
        yield step
        step = max(step + 1, int(step * RESOLUTION))


def _stands_still(path: list[tuple[int, float]], cap: int) -> bool:
    """Whether the lowest excess is nearly that of half as many steps. `path`: (step, lowest excess so far)."""
    step, excess = path[-1]
    half = path[bisect_right(path, (step // 2, math.inf)) - 1]
    return step >= max(cap / 8, 100) and excess > STANDSTILL * half[1]


def lowest_energy(
    name: str, network: Network, batch: tuple[jax.Array, jax.Array], settings: Settings, steps: int
) -> tuple[float, Settled]:
    """The energy after `steps` steps of a solver that never goes up, and the state."""
    *_, end = Trajectory(solver_of(name), network, *batch, settings).iterates((steps,))
    return end.energy, end.settled
