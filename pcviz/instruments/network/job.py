"""The network view's work: one example relaxes on the weights of its parent, now or earlier, packed for the screen."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.frames import Value
from pcviz.instruments.network.codes import encoded, folded
from pcviz.instruments.network.options import CELLS, COLUMNS, EDGES, NUMBERS, UNITS, Options
from pcviz.jobs.follower import Follower
from pcviz.numerics.krylov import Work, finish
from pcviz.pcn import Network, build
from pcviz.pcn.network import weights
from pcviz.pcn.stage import without_biases
from pcviz.probes.example import Example, follow

LOOK_CELLS = 55_000
"""Most cells of the network view in a look, whose every frame with arrays carries it."""


class NetworkView(Follower):
    """A child of a training: a relaxation of one example after another weight step, whenever the parent has advanced,
    or once on the weights of an earlier step.

    Raises ValueError for options that do not fit, and for an example, a layer or a weight step that is not there.
    """

    KIND = "network"

    def _begin(self) -> None:
        super()._begin()
        self.chosen = Options.model_validate(self.options)
        count = self.experiment.data.test_count
        if self.chosen.example >= count:
            raise ValueError(f"example: {self.chosen.example} is above {count - 1} (allowed: 0 to {count - 1})")
        if (self.chosen.layer or 1) > (depth := self.experiment.network.depth):
            raise ValueError(f"layer: {self.chosen.layer} is above {depth} (allowed: 1 to {depth})")
        self._stand(self.chosen.at)
        width, outputs = self.experiment.network.neurons, self.experiment.data.facts.output_dim
        whole = {None: 0, depth: outputs}.get(self.chosen.layer, width)
        steps, hidden = self.experiment.relaxation_steps, self.experiment.hidden_layers
        self.steps_shown = recorded_steps(steps, hidden, width, whole=whole)

    def prepare(self) -> None:
        """Load the example, compile."""
        experiment, place = self.experiment, slice(self.chosen.example, self.chosen.example + 1)
        data = load(experiment.data, experiment.seed, experiment.dtype)
        self._shade = data.shades(data.x_test[self.chosen.example])
        self._x, self._y = (jnp.asarray(side[place]) for side in (data.x_test, data.y_test))
        super().prepare()
        finish(self._follow(build(experiment, self._x.shape[1], self._y.shape[1]), (0, 1)))

    def _follow(self, network: Network, steps: Iterable[int]) -> Work[Example]:
        experiment = self.experiment
        options: dict[str, Any] = {"learning": experiment.learning, "seed": experiment.seed}
        return follow(network, self._x, self._y, experiment.inference, steps, **options)

    def _work(self) -> Iterator[object]:
        """The example on the parent's present weights, or on those asked for."""
        training = yield from self._weights()
        found = (yield from self._follow(training.network, self.steps_shown)).finite
        if len(found.steps):
            self._found = packed(found, np.asarray(self._x[0]), np.asarray(self._y[0]), self._shade)
            self._found |= {"network_example": float(self.chosen.example), "network_end": float(self.steps_shown[-1])}
            if self.chosen.layer is not None:
                self._found |= exact(found, np.asarray(self._y[0]), self.chosen.layer)
                self._found |= edges(training.network, self.chosen.layer)


def recorded_steps(steps: int, hidden: int, width: int, *, cells: int = CELLS, whole: int = 0) -> np.ndarray:
    """The inference steps 0 … `steps` of a network with so many hidden layers that are shown: all, or evenly spaced
    ones that fit into so many cells, so that the front moves evenly too. `whole`: units of the layer of which all
    numbers are sent, if there is one."""
    most = cells // (min(hidden, COLUMNS) * min(width, UNITS))
    most = max(2, min(most, NUMBERS // whole) if whole else most)
    return np.unique(np.round(np.linspace(0, steps, min(steps + 1, most))).astype(np.int32))


def packed(found: Example, x: np.ndarray, y: np.ndarray, shades: np.ndarray) -> dict[str, Value]:
    """The channels of an example, all of whose states are finite, with input x (D,), its shades (D,), and target y
    (K,)."""
    hidden = len(found.activities)
    groups = np.array_split(np.arange(hidden), min(hidden, COLUMNS))
    units = [layer.shape[-1] for layer in found.activities]
    cells = min(UNITS, max(units))

    def columns(layers: list[np.ndarray]) -> np.ndarray:
        """(…, C, U): layers that share a column, and units that share a cell, show the greatest magnitude."""
        made = [_padded(folded(layer, cells), cells) for layer in layers[:hidden]]
        return folded(np.stack(made, -1), len(groups)).swapaxes(-1, -2)

    changes = {
        "network_activity_change": [z - z[0] for z in found.activities],
        "network_prediction_change": [mu - mu[0] for mu in found.predictions],
        "network_error": found.errors,
        "network_gradient": found.gradients,
        "network_delta": found.deltas,
    }
    values: dict[str, Value] = {name: encoded(columns(layers)) for name, layers in changes.items()}
    return values | {
        "network_steps": found.steps.astype(np.int32),
        "network_columns": np.array([(group[0] + 1, group[-1] + 1) for group in groups], np.int32),
        "network_units": np.array([max(units[layer] for layer in group) for group in groups], np.int32),
        "network_activity": columns([z[0] for z in found.activities]).astype(np.float32),
        "network_prediction": columns([mu[0] for mu in found.predictions]).astype(np.float32),
        "network_energy": found.energies,
        "network_input": x.astype(np.float64),
        "network_shade": shades,
        "network_target": y.astype(np.float64),
        "network_output": found.predictions[-1].astype(np.float64),
    }


def pictured(
    experiment: Experiment, network: Network, x: jax.Array, y: jax.Array, shades: np.ndarray
) -> Work[dict[str, Value]]:
    """The channels of the relaxation of one example, x (1, D) and y (1, K), in a look that is no child; empty where
    none of its states is finite."""
    steps = recorded_steps(
        experiment.relaxation_steps, experiment.hidden_layers, experiment.network.neurons, cells=LOOK_CELLS
    )
    options: dict[str, Any] = {"learning": experiment.learning, "seed": experiment.seed}
    found = (yield from follow(network, x, y, experiment.inference, steps, **options)).finite
    if not len(found.steps):
        return {}
    return packed(found, np.asarray(x[0]), np.asarray(y[0]), shades) | {"network_end": float(steps[-1])}


def exact(found: Example, y: np.ndarray, layer: int) -> dict[str, Value]:
    """All numbers of one layer, 1 … L, as computed; y (K,) is the target."""
    prediction, error = found.predictions[layer - 1], found.errors[layer - 1]
    held = found.activities[layer - 1] if layer <= len(found.activities) else np.broadcast_to(y, prediction.shape)
    values = {"activity": held, "prediction": prediction, "error": error, "gradient": found.gradients[layer - 1]}
    made: dict[str, Value] = {f"layer_{name}": np.asarray(value, np.float64) for name, value in values.items()}
    return made | {"layer_number": float(layer)}


def edges(network: Network, layer: int) -> dict[str, Value]:
    """The weight matrix of one layer, 1 … L, if that is what the layer has besides biases, with one weight for each of
    its units and each one below, and small enough to send."""
    matrix, *more = without_biases(weights(network)[layer - 1])
    sizes = [math.prod(shape) for stage in network.stages for shape in [stage.output_shape] * stage.count]
    whole = sizes[layer - 1], sizes[layer - 2] if layer > 1 else math.prod(network.stages[0].input_shape)
    few = not more and matrix.shape == whole and matrix.size <= EDGES
    return {"layer_weights": np.asarray(matrix, np.float32)} if few else {}


def _padded(layer: np.ndarray, cells: int) -> np.ndarray:
    return np.pad(layer, [(0, 0)] * (layer.ndim - 1) + [(0, cells - layer.shape[-1])])


JOBS = {"network": NetworkView}
