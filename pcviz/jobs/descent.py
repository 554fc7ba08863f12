"""One solver that descends the energy of one batch, in slices."""

import time
from collections.abc import Iterator

import jax
import numpy as np

from pcviz.experiment.solvers import SOLVERS
from pcviz.frames import trace_rows
from pcviz.numerics.compiling import Program
from pcviz.pcn.energy import layer_rms
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.solvers import Settings, solver_of
from pcviz.pcn.trajectory import Iterate, Trajectory

MARKS = 64
"""Most recorded states of a solver."""
NOTHING = 1e-7
"""A solver stands still if it gains at most this share of its total gain between two marks."""
PRECISE = 1e-5
"""A solver ends when at most this share of its initial excess over a known lowest energy is left."""


_error_profile = Program(layer_rms)


class Descent:
    """A solver on one batch. `advance` until `done`; rows of `steps`, `passes`, `seconds` and `energies` grow.

    `budget`: maximum number of gradient evaluations. `chunk`: steps in one call of the compiled program, so that slices
    end in time; it must not depend on measured time, because a flow's steps depend on where they are cut.
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
        self.budget, self.chunk = budget, chunk
        self._steps_at_once = max(1, chunk // (8 if most else 1))
        steps = min(budget, most or budget, self.method.last or budget)
        self.marks = trace_rows(steps, MARKS, filled=False)
        self.steps: list[float] = []
        self.passes: list[float] = []
        self.seconds: list[float] = []
        self.energies: list[float] = []
        self.state = "waiting"
        self.settled: Settled | None = None
        self._iterates: Iterator[Iterate] | None = None

    @property
    def done(self) -> bool:
        """Whether the solver has ended."""
        return self.state not in ("waiting", "running")

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.done else len(self.steps) / (len(self.marks) + 1)

    def _trajectory(self) -> Trajectory:
        return Trajectory(self.method, self.network, self.x, self.y, self.settings)

    def compile(self) -> None:
        """Run the compiled programs once, in any thread; results do not change."""
        jax.block_until_ready(_error_profile(self._trajectory().compile().settled.errors))

    def advance(self, seconds: float, lowest: float | None) -> None:
        """Continue for about `seconds`. `lowest`: the lowest energy known from elsewhere; the solver ends near it."""
        deadline = time.perf_counter() + seconds
        if self._iterates is None:
            self.state = "running"
            self._iterates = self._trajectory().iterates(self.marks, self._steps_at_once)
        while not self.done:
            at = next(self._iterates)
            if at.recorded:
                self._record(at, lowest)
            if time.perf_counter() >= deadline:
                break

    def _record(self, at: Iterate, lowest: float | None) -> None:
        energy, (passes, accepted) = at.energy, at.cost
        self.steps.append(float(at.step))
        self.passes.append(passes)
        self.seconds.append(at.seconds)
        if not np.isfinite(energy):
            self.energies.append(float("nan"))
            self.state = "diverged"
            return
        self.energies.append(energy)
        self.settled = at.settled
        first = self.energies[0]
        nothing = NOTHING * abs(first - energy)
        near = lowest is not None and lowest < first and abs(energy - lowest) <= PRECISE * (first - lowest)
        # The error needs H steps to reach the first layer: before, standing still means little.
        late = at.step >= 2 * self.network.depth or SOLVERS[self.name].most_steps is not None
        gained = self.energies[-2] - energy if len(self.energies) > 1 else float("inf")
        if accepted == 0 or near or (self.method.last is not None and at.step >= self.method.last):
            self.state = "arrived"
        # One more step must change nothing either: in a cycle the energies of two marks can be the same.
        elif late and abs(gained) <= nothing and abs(at.next().energy - energy) <= nothing:
            self.state = "stalled"
        elif len(self.steps) == len(self.marks) or passes >= self.budget:
            self.state = "budget"

    def fail(self) -> None:
        """End the solver as failed, after an exception."""
        self.state = "failed"

    def errors_at_end(self) -> np.ndarray | None:
        """rms(e_1) … rms(e_L) of the last finite state."""
        return None if self.settled is None else np.asarray(_error_profile(self.settled.errors))
