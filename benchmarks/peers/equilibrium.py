"""The equilibrium of a linear network: in one pass, and as jpc does it, from a dense Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jpc
import numpy as np

from benchmarks.rounds import Seconds, timed
from pcviz.data import load
from pcviz.experiment import Experiment
from pcviz.pcn import build, weights
from pcviz.pcn.linear import equilibrium
from pcviz.pcn.stacks import unstack

DEPTH, WIDTH, BATCH, REPEATS = 32, 128, 64, 20


def equilibria(rounds: int) -> dict[str, list[Seconds]]:
    """Seconds of both in every round, float64. Raises RuntimeError if they find different activities."""
    experiment = Experiment().changed(
        {"network.depth": DEPTH, "network.width": WIDTH, "network.activation": "linear", "dtype": "float64"}
    )
    data = load(experiment.data, experiment.seed, experiment.dtype)
    x, y = jnp.asarray(data.x_train[:BATCH]), jnp.asarray(data.y_train[:BATCH])
    network = build(experiment, x.shape[1], y.shape[1])
    sizes: dict[str, Any] = {"input_dim": x.shape[1], "width": WIDTH, "depth": DEPTH, "output_dim": y.shape[1]}
    model = jpc.make_mlp(jax.random.key(0), **sizes, act_fn="linear", param_type="mupc")
    model = eqx.tree_at(lambda layers: [layer[1].weight for layer in layers], model, weights(network))

    def ours() -> Any:
        return jax.block_until_ready(unstack(equilibrium(network, x, y).activities))

    def theirs() -> Any:
        solution = jpc.compute_linear_activity_solution(model, x, y, use_skips=True, param_type="mupc")
        return jax.block_until_ready(solution)

    for mine, other in zip(ours(), theirs(), strict=False):
        if not np.allclose(mine, other, rtol=1e-6, atol=1e-8):
            raise RuntimeError("the equilibria differ")
    found: dict[str, list[Seconds]] = {"pcviz": [], "jpc": []}
    for _ in range(rounds):
        spent = timed(_often(ours))
        found["pcviz"].append(Seconds(spent.cpu / REPEATS, spent.wall / REPEATS))
        found["jpc"].append(timed(theirs))
    return found


def _often(work: Callable[[], object]) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(REPEATS):
            work()

    return repeated
