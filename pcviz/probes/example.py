"""One example on its way through a relaxation: what every layer holds, predicts and gets wrong, step by step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Inference, Learning
from pcviz.numerics.compiling import compiled
from pcviz.numerics.krylov import Work
from pcviz.pcn.feedforward import backprop
from pcviz.pcn.gradients import inputs_of, stacked_gradients
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities, unstack
from pcviz.pcn.stage import without_biases
from pcviz.pcn.trajectory import trajectory

LAYERED = ("activities", "predictions", "errors")
"""Fields that hold one array for each layer, with a row for each state."""


@short
class Example(NamedTuple):
    """A relaxation of one example, state by state at `steps` (R,), in the network's number format; layers of any shape
    are vectors: of residual blocks the main path, then the auxiliary neurons.

    `activities` [z_1 … z_H] and `predictions` [mu_1 … mu_L], each (R, N_l); `errors` [e_1 … e_L], the last one y - mu_L
    (mse) or y - softmax(mu_L) (ce); `energies` (R, L) float64 with those of the output times its precision; `deltas`
    [delta_1 … delta_L], each (N_l,), what backpropagation sends down the feedforward network: -dLoss/dz_l; `gradients`
    [g_1 … g_L], each (N_l,), norms of the rows of dF/dW_l after the last step: how far each unit's weights move, 0
    where it has none.
    """

    steps: np.ndarray
    activities: list[np.ndarray]
    predictions: list[np.ndarray]
    errors: list[np.ndarray]
    energies: np.ndarray
    deltas: list[np.ndarray]
    gradients: list[np.ndarray]

    @property
    def finite(self) -> Example:
        """The states before the first one that overflowed: all, some or none."""
        good = np.isfinite(self.energies).all(1)
        count = len(good) if good.all() else int(good.argmin())
        layers = {name: [layer[:count] for layer in getattr(self, name)] for name in LAYERED}
        return self._replace(steps=self.steps[:count], energies=self.energies[:count], **layers)


@compiled()
def _predictions(network: Network, x: jax.Array, z: Activities) -> list[jax.Array]:
    below = inputs_of(x, z)
    return _vectors(tuple(stage(b) for stage, b in zip(network.stages, below, strict=True)))


def _vectors(stacks: Activities) -> list[jax.Array]:
    """The layers of one example, (N_l,) each."""
    return [layer[0].ravel() for layer in unstack(stacks)]


def follow(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    inference: Inference,
    steps: Iterable[int],
    *,
    learning: Learning | None = None,
    seed: int = 0,
) -> Work[Example]:
    """Relax one example, x (1, D) and y (1, K), as `learning` does, and keep the states at these ascending steps;
    pauses wherever it yields. `seed` draws normal initial activities. Of a centred nudge the positive one is shown."""
    x, y = jnp.asarray(x, network.dtype), jnp.asarray(y, network.dtype)
    marks = [int(step) for step in steps]
    rows: list[tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray], np.ndarray]] = []
    path = trajectory(network, x, y, inference, learning, seed=seed)
    for at in path.iterates(marks):
        if at.recorded:
            settled = at.settled
            parts = (settled.activities, settled.errors)
            z, e = ([np.asarray(layer) for layer in _vectors(part)] for part in parts)
            mu = [np.asarray(layer) for layer in _predictions(network, x, settled.activities)]
            rows.append((z, mu, e, np.asarray(settled.energies)))
        yield
    z, mu, e = ([np.stack(layer) for layer in zip(*(row[part] for row in rows), strict=True)] for part in range(3))
    deltas = [np.asarray(delta[0]).ravel() for delta in backprop(network, x, y).deltas]
    learned = unstack(stacked_gradients(network, path.x, settled))
    norms = [_row_norms(layer) for layer in learned]
    gradients = [np.pad(own, (0, layer.shape[1] - len(own))) for own, layer in zip(norms, mu, strict=True)]
    return Example(np.array(marks), z, mu, e, np.stack([row[3] for row in rows]), deltas, gradients)


def _row_norms(gradient: Any) -> np.ndarray:
    """The norm of the gradient of each unit's weights in one layer, without its bias, (N_l,) float64."""
    parts = [np.asarray(leaf, np.float64).reshape(len(leaf), -1) for leaf in without_biases(gradient)]
    return np.asarray(np.linalg.norm(np.concatenate(parts, axis=1), axis=1))
