"""When predictive coding becomes backpropagation: the networks that are compared (theory.md 4.3)."""

from itertools import product
from typing import Any, NamedTuple

from pcviz.experiment import Experiment, facts_of, from_paths
from pcviz.experiment.cost import assumed_speed, parameter_count
from pcviz.experiment.looks import PAIRED, PROGRAM_SECONDS, Parts

SET_UP: dict[str, Any] = {
    "network.activation": "linear",
    "network.parameterisation": "mupc",
    "network.skips": True,
    "learning.optimiser": "adam",
    "learning.learning_rate": 1e-3,
    "learning.lr_scaling": "width_depth",
    "dtype": "float64",
}
"""What all networks share: the equilibrium of linear ones is known in closed form."""
SLOPE, SLOPE_OFF = 2.0, 0.25
"""1 - cos grows as (L/N) to this power, give or take so much, from WIDE units for each layer on."""
WIDE, WIDEST = 8, 32
ALIKE = {"total": {10: 0.998, 1: 0.99}, "worst": {10: 0.995}}
"""From WIDEST units for each layer on, the cosine of the whole gradient, and of the worst layer, is at least this,
by number of outputs."""
STEP_PASSES = 6.0
"""Arithmetic of a weight step at the equilibrium, in multiples of a forward pass; in float64 at half the speed."""


class Pair(NamedTuple):
    """One network: its data, width, depth and seed."""

    data: str
    width: int
    depth: int
    seed: int

    @property
    def name(self) -> str:
        """The name of this member of the group."""
        return f"{self.data} N={self.width} L={self.depth} seed {self.seed}"


class Backprop(NamedTuple):
    """Networks whose weight gradients at the equilibrium are compared with backpropagation's after `times` weight steps
    along them, all on the first `examples`."""

    widths: tuple[int, ...] = (8, 32, 128, 512)
    depths: tuple[int, ...] = (2, 4, 8, 16, 32)
    data: tuple[str, ...] = ("digits", "regression")
    seeds: tuple[int, ...] = (0, 1, 2)
    times: tuple[int, ...] = (0, 50, 100)
    examples: int = 64

    @property
    def cells(self) -> dict[str, Pair]:
        """The networks by name; all of a seed before the next one, small ones first."""
        pairs = [Pair(d, n, l, s) for s, n, l, d in product(self.seeds, self.widths, self.depths, self.data)]
        return {pair.name: pair for pair in pairs}

    def experiment_of(self, pair: Pair) -> Experiment:
        """The training of one network."""
        own = {"network.width": pair.width, "network.depth": pair.depth, "data.name": pair.data, "seed": pair.seed}
        batch = min(self.examples, facts_of(pair.data).train_size)
        return from_paths({**SET_UP, **own, "learning.batch_size": batch})

    @property
    def parts(self) -> Parts:
        """Seconds that each network adds; the first of a shape compiles for all its seeds."""
        found: Parts = {}
        for name, pair in self.cells.items():
            experiment = self.experiment_of(pair)
            forward = 2.0 * self.examples * parameter_count(experiment)
            seconds = self.times[-1] * (1e-3 + 2 * STEP_PASSES * forward / assumed_speed(pair.width))
            found[name] = 0.05 + PAIRED * seconds + (2 * PROGRAM_SECONDS if pair.seed == self.seeds[0] else 0.0)
        return found


FULL = Backprop()
QUICK = Backprop(widths=(8, 32, 128, 256), depths=(2, 4, 8), seeds=(0,), times=(0,))
