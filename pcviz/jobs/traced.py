"""One relaxation row by row: energies, sizes of activities and errors, and the weight gradients on the way."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

import jax
import numpy as np

from pcviz.experiment import Experiment
from pcviz.frames import FULL_ROWS, Value, trace_rows
from pcviz.numerics.compiling import compiled
from pcviz.pcn import Network, layers_with_signal
from pcviz.pcn.energy import layer_rms, rounding_energies
from pcviz.pcn.inference import settle
from pcviz.pcn.network import with_precision
from pcviz.pcn.plan import Plan, Settled, State
from pcviz.pcn.trajectory import Iterate, relaxing
from pcviz.probes.alignment import Comparison, backprop_gradients, compare, gradients_at
from pcviz.probes.health import arrival, chain_trace

ALIGNMENTS = 24
"""Most comparisons of the weight gradients, evenly spaced on a logarithmic scale."""


@compiled("plan")
def _measure(
    network: Network, x: jax.Array, y: jax.Array, state: State, without: State | None, t: jax.Array, plan: Plan
) -> tuple[Settled, jax.Array, jax.Array, jax.Array]:
    """The settled state after t steps, rms(z_l), rms(e_l) and the number of layers with a signal. `without` is the
    state without the target, None where that has no errors."""
    settled = settle(network, x, y, state, t, plan)
    signal = settled.errors
    if without is not None:
        own = settle(with_precision(network, 0), x, y, without, t, plan).errors
        signal = (*(e - o for e, o in zip(signal[:-1], own, strict=False)), signal[-1])
    with_signal = layers_with_signal(settled.activities, signal, y)
    return settled, layer_rms(settled.activities), layer_rms(settled.errors), with_signal


class Traced:
    """The experiment's own relaxation of one batch, with its solver and start; at most 512 rows of it are recorded.

    `work` runs it, pausing wherever it yields; `chunk` is the maximum number of steps between two pauses.
    """

    def __init__(self, experiment: Experiment, network: Network, x: jax.Array, y: jax.Array, chunk: int) -> None:
        self.experiment, self.network, self.chunk = experiment, network, chunk
        self.rows = trace_rows(experiment.relaxation_steps, FULL_ROWS)
        self.diverged = False
        self.layers_with_signal = 0
        self._chain = chain_trace(experiment, self.rows)
        self._floors = np.zeros(experiment.network.depth)
        options: dict[str, Any] = {"seed": experiment.seed, "traced": lambda first, last: np.array([last])}
        self._trajectory, self._plan = relaxing(network, x, y, experiment.inference, experiment.learning, **options)
        self.x, self.y = self._trajectory.x, self._trajectory.y
        # From a feedforward start nothing moves without the target.
        fed = self._plan.initial == "feedforward"
        self._without = None if fed else replace(self._trajectory, network=with_precision(network, 0))
        self._recorded: dict[str, list[np.ndarray]] = {n: [] for n in ("energies", "activity", "error", "update")}
        self._aligned: list[tuple[int, Comparison]] = []
        self._backprop = backprop_gradients(network, x, y)

    def _measured(self, at: Iterate, own: Iterate | None) -> tuple[Settled, jax.Array, jax.Array, jax.Array]:
        without = None if own is None else own.state
        return _measure(self.network, self.x, self.y, at.state, without, at.step, self._plan)

    def compile(self) -> None:
        """Run the compiled programs once; results do not change."""
        own = None if self._without is None else self._without.compile()
        settled, *_ = self._measured(self._trajectory.compile(), own)
        gradients_at(self.network, self.x, settled)

    @property
    def energies(self) -> np.ndarray:
        """Layer energies of the rows so far, (rows, L)."""
        found = self._recorded["energies"]
        return np.stack(found) if found else np.zeros((0, self.network.depth))

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return 1.0 if self.diverged else len(self._recorded["energies"]) / len(self.rows)

    def work(self) -> Iterator[None]:
        """Run the relaxation; it ends where the energy stops being finite."""
        spaced = np.geomspace(1, max(1, self.rows[-1]), ALIGNMENTS).round()
        compared = {int(self.rows[np.abs(self.rows - t).argmin()]) for t in spaced} - {0}
        path = self._trajectory.iterates(self.rows, self.chunk)
        without = repeat(None) if self._without is None else self._without.iterates(self.rows, self.chunk)
        before: tuple[int, Settled] | None = None
        for at, own in zip(path, without, strict=False):
            yield
            if not at.recorded:
                continue
            settled, activity, error, with_signal = self._measured(at, own)
            if not np.isfinite(np.asarray(settled.energies)).all():
                self.diverged = True
                if before is not None and before[0] not in {0, *(step for step, _ in self._aligned)}:
                    self._align(*before)  # the last finite step
                return
            update = np.sqrt(at.state.trace.update)
            found = {"energies": settled.energies, "activity": activity, "error": error, "update": update}
            for name, values in found.items():
                self._recorded[name].append(np.asarray(values))
            self.layers_with_signal = int(with_signal)
            self._floors = np.asarray(rounding_energies(settled.activities, self.y))
            if at.step in compared:
                self._align(at.step, settled)
            before = at.step, settled
            yield

    def _align(self, t: int, settled: Settled) -> None:
        self._aligned.append((t, compare(gradients_at(self.network, self.x, settled), self._backprop)))

    def numbers(self) -> dict[str, Value]:
        """What is known so far, as numbers."""
        energies = self.energies
        values: dict[str, Value] = {"diverged_at": float(self.rows[len(energies)])} if self.diverged else {}
        if not len(energies):
            return values
        values |= {
            "initial_energy": float(energies[0].sum()),
            "total_energy": float(energies[-1].sum()),
            "layers_with_signal": float(self.layers_with_signal),
            "relaxed_steps": float(self.rows[len(energies) - 1]),
        }
        if self._chain is not None:
            arrived = arrival(energies[-1], self._floors, self._chain[len(energies) - 1])
            values["layers_expected"] = float(arrived.should.sum())
        if self._aligned:
            last = self._aligned[-1][1]
            values["alignment_total"] = float(last.total_cosine)
            values["alignment_input"] = float(last.quartile_cosine[0])
        return values

    def arrays(self) -> dict[str, Value]:
        """What is known so far, as arrays."""
        energies = self.energies
        if not len(energies):
            return {}
        rows = self.rows[: len(energies)]
        values: dict[str, Value] = {
            "trace_steps": rows,
            "energy_trace": energies,
            "total_energy_trace": energies.sum(1),
            "activity_rms": np.stack(self._recorded["activity"]),
            "error_rms": np.stack(self._recorded["error"]),
            "update_rms": np.stack(self._recorded["update"]),
            "energy": energies[-1],
        }
        if self._plan.follows_front:
            values["front"] = np.maximum(1.0, energies.shape[1] - rows)
        if self._aligned:
            values["alignment_steps"] = np.array([t for t, _ in self._aligned])
            values["alignment_cosine"] = np.stack([c.cosine for _, c in self._aligned])
            values["alignment_ratio"] = np.stack([c.norm_ratio for _, c in self._aligned])
        return values
