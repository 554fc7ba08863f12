"""One solver on its way down, in slices: what `pcviz.pcn.equilibrium.solve` does in one go."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.experiment.solvers import SOLVERS
from pcviz.pcn.energy import layer_energies, output_error, rms
from pcviz.pcn.network import Network
from pcviz.pcn.solvers import Reveal, Settings, solver_of

MARKS = 64
"""Most recorded states of a solver."""
NOTHING = 1e-7
"""A solver that gains less than this share of all it has gained, between two marks, stands still."""
PRECISE = 1e-5
"""Share of the initial excess over a known lowest energy at which a solver has nothing left to show."""


def marks_of(steps: int, most: int = MARKS) -> np.ndarray:
    """The steps 0 … `steps` that are recorded: the first ones, then evenly on a logarithmic scale."""
    if steps < most:
        return np.arange(steps + 1)
    return np.unique(np.concatenate([[0], np.geomspace(1, steps, most - 1).round().astype(int)]))


@jax.jit
def energy_of(network: Network, y: jax.Array, shown: Reveal) -> jax.Array:
    """E_1 … E_L at revealed activities and errors."""
    output = network.stages[-1](shown.activities[-1][-1:])[0]
    return layer_energies(network, shown.errors, output, y)


@jax.jit
def error_profile(network: Network, y: jax.Array, shown: Reveal) -> jax.Array:
    """rms(e_1) … rms(e_L)."""
    output = network.stages[-1](shown.activities[-1][-1:])[0]
    top = output_error(network.loss, output, y)[None]
    return jnp.concatenate([rms(stack) for stack in (*shown.errors, top)])


class Descent:
    """A solver on one batch. `advance` until `done`; rows of `steps`, `passes`, `seconds` and `energies` grow.

    `budget`: most gradient evaluations. `chunk`: steps in one call of the compiled program, so that slices end in time;
    it must not depend on measured time, because a flow's steps depend on where it is cut.
    """

    def __init__(
        self,
        name: str,
        network: Network,
        batch: tuple[jax.Array, jax.Array],
        settings: Settings,
        budget: int,
        chunk: int,
    ) -> None:
        self.name, self.network, self.settings = name, network, settings
        self.x, self.y = batch
        self.method = solver_of(name)
        most = SOLVERS[name].most_steps  # where steps hold several gradient evaluations
        self.budget, self.chunk = budget, max(1, chunk // (8 if most else 1))
        steps = min(budget, most or budget, self.method.last or budget)
        self.marks = marks_of(steps)
        self.steps: list[float] = []
        self.passes: list[float] = []
        self.seconds: list[float] = []
        self.energies: list[float] = []
        self.state = "waiting"
        self.shown: Reveal | None = None
        self._t = 0
        self._clock = 0.0
        self._solver_state: Any = None

    @property
    def done(self) -> bool:
        """Nothing follows."""
        return self.state not in ("waiting", "running")

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.done else len(self.steps) / (len(self.marks) + 1)

    def compile(self) -> None:
        """Run the compiled programs once, in whatever thread; results stay."""
        state = self.method.begin(self.network, self.x, self.y, self.settings)
        # A step is done: what lies in a loop is loaded when it first runs, and that is no computing.
        state = self.method.advance(self.network, self.x, self.y, state, 0, 1, self.settings)
        shown = self.method.reveal(self.network, self.x, self.y, state, 1)
        jax.block_until_ready((energy_of(self.network, self.y, shown), error_profile(self.network, self.y, shown)))

    def advance(self, seconds: float, lowest: float | None) -> None:
        """Go on for about `seconds`. `lowest` is the lowest energy that others know, which ends a solver near it."""
        deadline = time.perf_counter() + seconds
        while not self.done:
            self._one_call()
            if self._t == self.marks[len(self.steps)]:
                self._record(lowest)
            if time.perf_counter() >= deadline:
                break

    def _one_call(self) -> None:
        begun = time.perf_counter()
        if self._solver_state is None:
            self.state = "running"
            self._solver_state = self.method.begin(self.network, self.x, self.y, self.settings)
        else:
            last = min(int(self.marks[len(self.steps)]), self._t + self.chunk)
            batch = self.network, self.x, self.y
            self._solver_state = self.method.advance(*batch, self._solver_state, self._t, last, self.settings)
            self._t = last
        jax.block_until_ready(self._solver_state)
        self._clock += time.perf_counter() - begun

    def _record(self, lowest: float | None) -> None:
        shown = self.method.reveal(self.network, self.x, self.y, self._solver_state, self._t)
        energy = float(np.asarray(energy_of(self.network, self.y, shown)).sum())
        passes, accepted = self.method.cost(self._solver_state, self._t)
        self.steps.append(float(self._t))
        self.passes.append(passes)
        self.seconds.append(self._clock)
        if np.isfinite(energy):
            self.energies.append(energy)
            self.shown = shown
        else:
            self.energies.append(float("nan"))
            self.state = "diverged"
            return
        first = self.energies[0]
        near = lowest is not None and lowest < first and abs(energy - lowest) <= PRECISE * (first - lowest)
        # The error needs H steps to reach the first layer: before, standing still means little.
        late = self._t >= 2 * self.network.depth or SOLVERS[self.name].most_steps is not None
        gained = self.energies[-2] - energy if len(self.energies) > 1 else float("inf")
        if accepted == 0 or near or (self.method.last is not None and self._t >= self.method.last):
            self.state = "arrived"
        elif late and abs(gained) <= NOTHING * abs(first - energy) and self._rests(NOTHING * abs(first - energy)):
            self.state = "stalled"
        elif len(self.steps) == len(self.marks) or passes >= self.budget:
            self.state = "budget"

    def _rests(self, nothing: float) -> bool:
        """Whether one more step changes nothing either: a solver that goes round in circles can have the same energy at
        two marks."""
        batch, t = (self.network, self.x, self.y), self._t
        state = self.method.advance(*batch, self._solver_state, t, t + 1, self.settings)
        shown = self.method.reveal(*batch, state, t + 1)
        energy = float(np.asarray(energy_of(self.network, self.y, shown)).sum())
        return abs(energy - self.energies[-1]) <= nothing

    def fail(self) -> None:
        """It raised: nothing follows."""
        self.state = "failed"

    def errors_at_end(self) -> np.ndarray | None:
        """rms(e_1) … rms(e_L) of the last finite state."""
        return None if self.shown is None else np.asarray(error_profile(self.network, self.y, self.shown))
