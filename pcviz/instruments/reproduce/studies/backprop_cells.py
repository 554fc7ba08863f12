"""The networks in which predictive coding is held against backpropagation."""

from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, facts_of, from_paths
from pcviz.experiment.cost import assumed_speed, parameter_count
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts

SET_UP: dict[str, Any] = {
    "network.parameterisation": "mupc",
    "network.skips": True,
    "learning.optimiser": "adam",
    "learning.learning_rate": 1e-3,
    "learning.lr_scaling": "width_depth",
    "dtype": "float64",
}
"""What all networks share."""
WIDE, WIDEST = 8, 32
"""Units for each layer from which on the gradients differ by a power of L/N, and by next to nothing."""
SLOPE = 2.0
"""The predicted power of L/N with which 1 - cos grows."""
CONVERGED = 1e-6
"""A search for equilibria converged where the steepest descent of every example's energy, in the activities, has a
smaller norm."""
STEP_PASSES = {"linear": 6.0, "tanh": 60.0, "relu": 120.0}
"""Arithmetic of a weight step at the equilibrium, in multiples of a forward pass; in float64 at half the speed."""
SEARCH_STEPS = 10
"""The one search in a network that is not followed, too narrow or too deep, takes as long as so many weight steps."""


class Pair(NamedTuple):
    """One network: its data, activation, width, depth and seed."""

    data: str
    activation: str
    width: int
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.data} {self.activation} N={self.width} L={self.depth} seed {self.seed}"


class Backprop(NamedTuple):
    """Networks whose weight gradients at the equilibrium are compared with backpropagation's after `times` weight steps
    along them, all on the first `examples`.

    Of those that are not linear, ones up to N² L = `compared` are compared at the start, and up to `followed`, with at
    least WIDEST units for each layer, at all times.
    """

    widths: tuple[int, ...] = (8, 32, 128, 512)
    depths: tuple[int, ...] = (2, 4, 8, 16, 32)
    data: tuple[str, ...] = ("digits", "regression")
    activations: tuple[str, ...] = ("linear", "tanh", "relu")
    seeds: tuple[int, ...] = (0, 1, 2)
    times: tuple[int, ...] = (0, 50, 100)
    examples: int = 64
    compared: int = 2**21
    followed: int = 2**19

    @property
    def cells(self) -> dict[str, Pair]:
        """The networks by name; all of a seed before the next one, small ones first."""
        shapes = product(self.seeds, self.widths, self.depths, self.data, self.activations)
        pairs = (Pair(d, a, n, l, s) for s, n, l, d, a in shapes)
        return {p.name: p for p in pairs if p.activation == "linear" or p.width**2 * p.depth <= self.compared}

    def is_followed(self, pair: Pair) -> bool:
        """Whether a network is compared at all times."""
        small = pair.width >= WIDEST * pair.depth and pair.width**2 * pair.depth <= self.followed
        return pair.activation == "linear" or small

    def experiment_of(self, pair: Pair) -> Experiment:
        """The training of one network."""
        shape = {"network.activation": pair.activation, "network.width": pair.width, "network.depth": pair.depth}
        batch = min(self.examples, facts_of(pair.data).train_size)
        own = {"data.name": pair.data, "learning.batch_size": batch, "seed": pair.seed}
        return from_paths({**SET_UP, **shape, **own})

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds; the first of a shape compiles for all its seeds."""
        return {name: self._seconds(pair) for name, pair in self.cells.items()}

    def _seconds(self, pair: Pair) -> float:
        experiment = self.experiment_of(pair)
        forward = 2.0 * experiment.learning.batch_size * parameter_count(experiment)
        steps = self.times[-1] if self.is_followed(pair) else 0
        passes = STEP_PASSES[pair.activation] * (steps + 1 if self.is_followed(pair) else SEARCH_STEPS)
        seconds = steps * 1e-3 + 2 * passes * forward / assumed_speed(pair.width)
        programs = 2 if pair.activation == "linear" or not steps else 3
        return 0.05 + PAIRED * seconds + (programs * PROGRAM_SECONDS if pair.seed == self.seeds[0] else 0.0)


def is_converged(one: dict[str, Any]) -> bool:
    """Whether the equilibrium of what was seen of a network at a time is known: in closed form, or by a search."""
    return one["gradient"] is None or one["gradient"] < CONVERGED
