"""The Python interface of inference: a whole relaxation of a batch, and the weight gradients at its end."""

from dataclasses import dataclass

import jax
import numpy as np

from pcviz.brief import short
from pcviz.experiment import Inference
from pcviz.frames import TRACE_ROWS
from pcviz.pcn.batch import as_batch
from pcviz.pcn.gradients import stacked_gradients
from pcviz.pcn.network import Network
from pcviz.pcn.plan import Settled
from pcviz.pcn.stacks import unstack
from pcviz.pcn.trace import recorded
from pcviz.pcn.trajectory import trajectory


@dataclass(frozen=True)
@short
class Relaxation:
    """One relaxation.

    `energies` (T+1, L): layer energies E_1 … E_L of every state, batch mean, row 0 = the start, E_L with its precision;
    `update_rms` (T+1, H): rms of the step of each layer's variable that led to the state, row 0 is 0; `activities`
    [z_1 … z_{L-1}], each (B, N_l), and `errors` [e_1 … e_L] at the end, e_L = y - mu_L (mse) or y - softmax(mu_L) (ce).
    """

    energies: np.ndarray
    update_rms: np.ndarray
    activities: list[jax.Array]
    errors: list[jax.Array]
    settled: Settled


def relax(
    network: Network,
    x: jax.Array,
    y: jax.Array,
    inference: Inference,
    steps: int | None = None,
    *,
    seed: int = 0,
    windowed: bool = True,
) -> Relaxation:
    """Relax the activities for `steps` inference steps (default: those of `inference`; `depth` resolved).

    x (B, D) and y (B, K), or classes (B,), are clamped. `seed` draws normal initial activities; `windowed=False`
    also computes layers that no signal can have reached. Any number of steps, in chunks. Raises ValueError for a
    negative number, and for x and y that do not fit.
    """
    x, y = as_batch(network, x, y)
    total = inference.steps_at(network.depth) if steps is None else steps
    if total < 0:
        raise ValueError(f"steps: {total} is below 0 (allowed: 0 or more)")
    options = {"seed": seed, "windowed": windowed, "traced": lambda first, last: np.arange(first, last + 1)}
    path = trajectory(network, x, y, inference, steps=total, **options)
    rows: list[tuple[np.ndarray, np.ndarray]] = []
    before = 0
    for at in path.iterates([*range(0, total, TRACE_ROWS), total]):
        rows.append(recorded(at.state.trace, at.step - before))
        before = at.step
    end = at.settled
    rows.append((np.asarray(end.energies)[None], np.sqrt(np.asarray(at.state.trace.update))[None]))
    energies, updates = (np.concatenate(part) for part in zip(*rows, strict=True))
    return Relaxation(energies, updates, unstack(end.activities), unstack(end.errors), end)


def weight_gradients(network: Network, x: jax.Array, y: jax.Array, relaxation: Relaxation) -> list[jax.Array]:
    """dF/dW_1 … dF/dW_L at the end of a relaxation, each (N_l, N_{l-1}): batch mean, without weight decay.

    x and y are those that were relaxed. Raises ValueError if they do not fit.
    """
    settled = relaxation.settled
    x, _ = as_batch(network, x, y)  # the target's part is in the relaxation's errors
    if x.shape[0] != (count := settled.errors[-1].shape[1]):
        raise ValueError(f"x: has shape {x.shape} (wanted: ({count}, {x.shape[1]}), the batch that was relaxed)")
    return unstack(stacked_gradients(network, x, settled))
