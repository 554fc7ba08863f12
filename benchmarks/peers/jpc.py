"""jpc, driven as the training script of the muPC paper drives it (https://github.com/thebuckleylab/jpc)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import numpy as np
import optax

from benchmarks.peers.task import Task

# Its release imports a name from where newer jaxlib no longer has it, for a check that training does not reach.
sys.modules.setdefault("jaxlib.xla_extension", _old := ModuleType("jaxlib.xla_extension"))
_old.PjitFunction = type(jax.jit(lambda: None))  # type: ignore[attr-defined]

import jpc  # noqa: E402


class Jpc:
    """The library."""

    name = f"jpc {jpc.__version__}"

    @jax.enable_x64(False)
    def bare(self, task: Task) -> Callable[[int], None]:
        run = _Run(task)

        @jax.enable_x64(False)
        def steps(count: int) -> None:
            for _ in range(count):
                run.step(task.x[0], task.y[0])
            jax.block_until_ready(jax.tree.leaves(eqx.filter(run.params, eqx.is_array)))

        return steps

    @jax.enable_x64(False)
    def train(self, task: Task, passed: Callable[[int], None]) -> list[np.ndarray]:
        run = _Run(task)
        for step, (x, y) in enumerate(zip(task.x, task.y, strict=True), 1):
            run.step(x, y)
            jax.block_until_ready(jax.tree.leaves(eqx.filter(run.params, eqx.is_array)))
            passed(step)
        return [np.asarray(layer[1].weight) for layer in run.params[0]]


class _Run:
    """A network in training."""

    def __init__(self, task: Task) -> None:
        inputs, outputs = task.weights[0].shape[1], task.weights[-1].shape[0]
        shape = {"input_dim": inputs, "width": task.width, "depth": task.depth, "output_dim": outputs}
        model = jpc.make_mlp(jax.random.key(0), **shape, act_fn="tanh", use_bias=False, param_type="mupc")
        weights = [jax.numpy.asarray(weight) for weight in task.weights]
        model = eqx.tree_at(lambda layers: [layer[1].weight for layer in layers], model, weights)
        self.task, self.params = task, (model, jpc.make_skip_model(task.depth))
        # The gradient of the mean energy is that of an example's own energy over B.
        self.on_activities = optax.sgd(task.step_size * task.x.shape[1])
        self.on_weights = optax.adam(task.learning_rate)
        self.slots = self.on_weights.init((eqx.filter(model, eqx.is_array), self.params[1]))

    def step(self, x: np.ndarray, y: np.ndarray) -> None:
        """One weight step."""
        model, skips = self.params
        options: Any = {"output": y, "input": x, "param_type": "mupc"}
        z = jpc.init_activities_with_ffwd(model=model, input=x, skip_model=skips, param_type="mupc")
        state = self.on_activities.init(z)
        for _ in range(self.task.steps):
            moved = jpc.update_pc_activities(self.params, z, self.on_activities, state, **options)
            z, state = moved["activities"], moved["opt_state"]
        learned = jpc.update_pc_params(self.params, z, self.on_weights, self.slots, **options)
        self.params, self.slots = (learned["model"], learned["skip_model"]), learned["opt_state"]
