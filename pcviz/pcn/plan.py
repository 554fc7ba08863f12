"""What a relaxation is made of: its compiled plan, its state on the way, and what is left at its end."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.pcn.nudging import Goal
from pcviz.pcn.stacks import Activities, plus
from pcviz.pcn.trace import Trace
from pcviz.pcn.update import Update


@dataclass(frozen=True)
class Plan:
    """The compiled part of a relaxation: the update, the initial activities, whether the front window and the trace are
    used, and whether the weights are fixed.

    `schedule` of the precisions; `nudging` and `clamp` of the output; `decays`: activities are pulled to zero.
    `displaced`: the variables are the distances z - z(0) from the feedforward start, so that what a layer moved is
    known to the last digit however little it is, and weights learn from these. `frozen`: predictions and Jacobians stay
    those of the start. `keeps_errors`: a layer's own error does not pull it back.
    """

    update: Update
    initial: str = "feedforward"
    windowed: bool = True
    recorded: bool = True
    fixed_weights: bool = True
    schedule: str = "constant"
    nudging: str = "none"
    clamp: str = "soft"
    decays: bool = False
    displaced: bool = False
    frozen: bool = False
    keeps_errors: bool = False

    @property
    def follows_front(self) -> bool:
        """Whether layers that the output error has not reached are known to have no error."""
        return self.initial == "feedforward" and self.update.space == "activities" and not self.decays

    @property
    def corrected(self) -> bool:
        """Whether the rounding of the feedforward start is subtracted: it holds for fixed weights only."""
        return self.initial == "feedforward" and self.update.space == "activities" and self.fixed_weights

    def front(self, layers: jax.Array | int) -> jax.Array | None:
        """The number of top hidden layers to visit if only the top `layers` can have changed; None means all."""
        windowed = self.windowed and self.follows_front and self.corrected
        return jnp.asarray(layers, jnp.int32) if windowed else None


@short
class State(NamedTuple):
    """A relaxation under way: `variables` of the hidden stages (activities, errors, or distances from the start), the
    solver's `slots` for each stage, the `correction` of the errors, the feedforward `output` (B, K) and the `trace`;
    the `start` z(0) where the variables are distances from it; the `goal` of a nudged output; the `energy` () of
    the start."""

    variables: Activities
    slots: Any
    correction: Activities | None
    output: jax.Array
    trace: Trace
    start: Activities | None = None
    goal: Goal | None = None
    energy: jax.Array | float = 0.0

    def seen(self, plan: Plan) -> Activities:
        """The activities that the layers above predict from."""
        if self.start is None:
            return self.variables
        return self.start if plan.frozen else plus(self.start, self.variables)


@short
class Settled(NamedTuple):
    """The result of a relaxation: hidden activities, errors of every stage (output last), layer energies (L,) float64;
    `signals` and `inputs` replace errors and activities in the gradients of weights that learn from something else."""

    activities: Activities
    errors: Activities
    energies: jax.Array
    signals: Activities | None = None
    inputs: Activities | None = None
