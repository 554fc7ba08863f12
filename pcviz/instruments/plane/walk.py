"""Backpropagation and predictive coding, both from one point of a plane: where each of them goes."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.frames import Value, trace_rows
from pcviz.instruments.plane.look import PlaneLook
from pcviz.instruments.plane.options import STEPS, WALKS
from pcviz.jobs.child import Child
from pcviz.pcn import learning
from pcviz.pcn.learning import Batches
from pcviz.pcn.network import Network, flat_weights
from pcviz.pcn.trace import padded_rows
from pcviz.probes.surface import equilibrated_energy, loss_of

_loss, _energy = jax.jit(loss_of), jax.jit(equilibrated_energy)


class Walk(Child[PlaneLook]):
    """A child of a `PlaneLook`: options `x` and `y` are where it begins, in the plane.

    Both rules see the examples that the surfaces are means over, all in each step, with the experiment's optimiser,
    learning rate and inference. Places are projections onto the plane; loss and F* are those of the weights themselves.
    """

    KIND = "walk"
    steps = len(WALKS) * STEPS

    def _begin(self) -> None:
        self._start = np.array([float(self.options.get("x", 0)), float(self.options.get("y", 0))])
        self.step = 0
        self._seen: dict[str, list[tuple[float, float, float, float]]] = {rule: [] for rule in WALKS}
        self._finished = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing more to do."""
        return self._finished

    @property
    def done(self) -> bool:
        """Whether both walks are finished."""
        return self._finished

    def _work(self) -> Iterator[None]:
        """Step both rules in turn, so that both are seen to move."""
        for _ in self.parent.founded():
            yield
        states = {rule: self._begun(rule) for rule in WALKS}
        for rule, (network, *_) in states.items():
            self._look(rule, network)
        for _ in range(STEPS):
            for rule, state in states.items():
                if state is not None:
                    states[rule] = self._moved(rule, *state)
                self.step += 1
                yield
        self._finished, self.step = True, self.steps

    def _begun(self, rule: str) -> Any:
        experiment = self.experiment.with_rule(rule).changed({"learning.batch_size": len(self.parent.x)})
        method = learning.method_of(experiment, recorded=False)
        numbers = learning.numbers_of(experiment, jnp.asarray(padded_rows(trace_rows(0), 1)))
        network = self.parent.at(self._start)
        return network, learning.fresh_slots(method, network, numbers), method, numbers

    def _moved(self, rule: str, network: Network, slots: Any, method: Any, numbers: Any) -> Any:
        """The state after one weight step; None if it is not finite."""
        x, y = self.parent.x, self.parent.y
        batches = Batches(x, y, jnp.arange(len(x), dtype=jnp.int32)[None], jnp.zeros(1, bool))
        keys = jax.vmap(jax.random.key)(jnp.arange(1))
        network, slots, *_, made = learning.weight_steps(method, network, slots, batches, 1, numbers, keys)
        if not int(made):
            return None
        self._look(rule, network)
        return network, slots, method, numbers

    def _look(self, rule: str, network: Network) -> None:
        flat = flat_weights(network)
        (place,) = self.parent.place([flat])
        heights = (float(surface(network, self.parent.x, self.parent.y)) for surface in (_loss, _energy))
        self._seen[rule].append((*place, *heights))

    def _values(self) -> dict[str, Value]:
        """Both paths so far."""
        values: dict[str, Value] = {}
        for rule, seen in self._seen.items():
            if seen:
                columns = np.array(seen).T
                names = ("x", "y", "loss", "energy")
                values |= {f"walk_{rule}_{name}": column for name, column in zip(names, columns, strict=True)}
                values[f"walk_{rule}_steps"] = np.arange(len(seen))
        return values
