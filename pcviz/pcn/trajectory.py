"""The one loop in which looks and Python relax: the states of a solver on a clamped batch, computed on demand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Inference, Learning
from pcviz.pcn.network import Network
from pcviz.pcn.nudging import repeated
from pcviz.pcn.options import plan_of, rates_of
from pcviz.pcn.plan import Plan, Settled
from pcviz.pcn.solvers import Settings, Solver, descending


@dataclass(frozen=True, eq=False)
@short
class Trajectory:
    """A relaxation of `network` by a `solver` and its `settings`, x (B, D) and y (B, K) clamped, both in the network's
    number format. States are computed on demand."""

    solver: Solver
    network: Network
    x: jax.Array
    y: jax.Array
    settings: Settings

    def iterates(self, marks: Iterable[int], chunk: int | None = None) -> Iterator[Iterate]:
        """The start, and the state after every call of the compiled program, to the last of the `marks`.

        `marks`: the steps whose states are `recorded`, ascending from 0 or more. A call ends at every mark, and after
        `chunk` steps, so that there are states to pause at. The inner steps of a flow depend on where calls end, so
        neither may depend on measured time. Raises ValueError for marks that do not ascend.
        """
        at: Iterate | None = None
        for mark in map(int, marks):
            if mark <= (-1 if at is None else at.step):
                raise ValueError(f"marks: must ascend from 0 or more, got {mark} after {at.step if at else 'nothing'}")
            while at is None or at.step < mark:
                at = self._after(at, mark, chunk)
                yield at

    def compile(self) -> Iterate:
        """Compile the programs and run them for one step; returns its state, and changes no result. The step is run
        because code in a loop is loaded when it first runs, which must not count as compute time."""
        *_, first = self.iterates((1,))
        jax.block_until_ready(first.settled)
        return first

    def _after(self, at: Iterate | None, mark: int, chunk: int | None) -> Iterate:
        batch, step = (self.network, self.x, self.y), 0
        begun = time.perf_counter()
        if at is None:
            state = self.solver.begin(*batch, self.settings)
        else:
            step = mark if chunk is None else min(mark, at.step + chunk)
            state = self.solver.advance(*batch, at.state, at.step, step, self.settings)
        jax.block_until_ready(state)
        seconds = time.perf_counter() - begun + (0.0 if at is None else at.seconds)
        return Iterate(self, step, seconds, step == mark, state)


@dataclass(frozen=True, eq=False)
@short
class Iterate:
    """A state of a trajectory: the number of solver steps before it, the `seconds` of compute time (without
    measuring states), whether its step is one of the marks; `state` is the solver's own."""

    trajectory: Trajectory
    step: int
    seconds: float
    recorded: bool
    state: Any

    @cached_property
    def settled(self) -> Settled:
        """Activities, errors and layer energies."""
        path = self.trajectory
        return path.solver.settle(path.network, path.x, path.y, self.state, self.step)

    @cached_property
    def energy(self) -> float:
        """The energy, mean over examples."""
        return float(np.asarray(self.settled.energies).sum())

    @property
    def cost(self) -> tuple[float, float]:
        """Gradient evaluations so far, and the share of examples whose last step was accepted."""
        return self.trajectory.solver.cost(self.state, self.step)

    def next(self) -> Iterate:
        """The state one step later, whatever the marks."""
        return self.trajectory._after(self, self.step + 1, None)


def relaxing(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    inference: Inference,
    learning: Learning | None = None,
    *,
    steps: int | None = None,
    windowed: bool = True,
    **options: Any,
) -> tuple[Trajectory, Plan]:
    """The relaxation by which `learning` moves weights, or without it one on the energy, and its plan.

    `steps`: how many are meant to be made, which decaying precisions depend on; None: those of `inference`. `options`
    as for `descending`: seed, traced. A centred nudge relaxes every example twice: x and y of the trajectory hold them
    with the positive nudge, then with the negative one.
    """
    plan = plan_of(inference, learning, windowed=windowed)
    if learning is not None and not learning.facts.relaxes:
        plan = plan_of(inference, windowed=windowed)
    spikes = learning is not None and learning.facts.spikes
    total = inference.steps_at(network.depth, spikes=spikes) if steps is None else steps
    rates = rates_of(inference, total, network.dtype)
    x, y = (repeated(plan.nudging, part) for part in (x, y))
    return Trajectory(descending(plan, rates, **options), network, x, y, Settings(None)), plan


def trajectory(*batch: Any, **options: Any) -> Trajectory:
    """The relaxation of `relaxing`, from the same arguments."""
    return relaxing(*batch, **options)[0]
