"""FabricPC: the same network as a graph of nodes (https://github.com/trueagi-io/FabricPC)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from fabricpc.core.inference import InferenceSGD
from fabricpc.core.initializers import KaimingInitializer
from fabricpc.core.topology import Edge
from fabricpc.core.types import GraphParams, NodeParams
from fabricpc.graph_assembly import TaskMap, graph
from fabricpc.nodes import Linear
from fabricpc.nodes.base import NodeBase
from fabricpc.training.trainer import make_train_step, train

from benchmarks.peers.task import Task

SHARE = 8
"""Weight steps between two calls of `passed`; an epoch to the library."""


class Layer(Linear):
    """mu = a W phi(z) + tau z as a node; the library's own layers have neither premultiplier nor skip."""

    def __init__(self, name: str, width: int, *, scale: float, skip: bool, squash: bool) -> None:
        own = {"use_bias": False, "flatten_input": False, "scale": scale, "skip": skip, "squash": squash}
        NodeBase.__init__(self, (width,), name, weight_init=KaimingInitializer(), **own)

    @staticmethod
    def predict(params: NodeParams, inputs: dict[str, jax.Array], state: Any, node_info: Any) -> tuple[jax.Array, None]:
        ((key, below),) = inputs.items()
        own = node_info.node_config
        phi = jnp.tanh(below) if own["squash"] else below
        mu = own["scale"] * (phi @ params.weights[key])
        return (mu + below if own["skip"] else mu), None


class FabricPC:
    """The library."""

    name = f"FabricPC {version('fabricpc')}"

    @jax.enable_x64(False)
    def bare(self, task: Task) -> Callable[[int], None]:
        structure, params = _made(task)
        optimiser = optax.adam(task.learning_rate)
        step, key, batch = make_train_step(structure, optimiser), jax.random.key(0), _batch(task.x[0], task.y[0])
        held = [params, optimiser.init(params)]

        @jax.enable_x64(False)
        def steps(count: int) -> None:
            for _ in range(count):
                held[0], held[1], _, _ = step(held[0], held[1], batch, key)
            jax.block_until_ready(held)

        return steps

    @jax.enable_x64(False)
    def train(self, task: Task, passed: Callable[[int], None]) -> list[np.ndarray]:
        structure, params = _made(task)
        batches = list(zip(task.x, task.y, strict=True))
        loader = _InTurn(batches, min(SHARE, len(batches)))
        options: dict[str, Any] = {
            "verbose": False,  # nothing waits for a progress bar
            "epoch_callback": lambda context: passed(context.step),
        }
        epochs = {"num_epochs": len(batches) / len(loader)}
        result = train(params, structure, loader, optax.adam(task.learning_rate), epochs, jax.random.key(0), **options)
        return [np.asarray(result.params.nodes[f"z{l}"].weights[_key(l)]).T for l in range(1, task.depth + 1)]


class _InTurn:
    """A loader whose epochs are the next few batches."""

    def __init__(self, batches: list[Any], share: int) -> None:
        self.batches, self.share, self.next = batches, share, 0

    def __len__(self) -> int:
        return self.share

    def __iter__(self) -> Any:
        first, self.next = self.next, self.next + self.share
        return iter(self.batches[first : self.next])


def _batch(x: np.ndarray, y: np.ndarray) -> dict[str, jax.Array]:
    return {"x": jnp.asarray(x), "y": jnp.asarray(y)}


def _key(layer: int) -> str:
    return f"z{layer - 1}->z{layer}:in"


def _made(task: Task) -> tuple[Any, GraphParams]:
    """The graph and its parameters."""
    nodes: list[Any] = [Linear(shape=(task.weights[0].shape[1],), name="z0")]
    edges = []
    for l, (weight, scale, skip) in enumerate(zip(task.weights, task.scales, task.skips, strict=True), 1):
        nodes.append(Layer(f"z{l}", weight.shape[0], scale=scale, skip=skip, squash=l > 1))
        edges.append(Edge(source=nodes[-2], target=nodes[-1].slot("in")))
    inference = InferenceSGD(eta_infer=task.step_size, infer_steps=task.steps)
    structure = graph(nodes=nodes, edges=edges, task_map=TaskMap(x=nodes[0], y=nodes[-1]), inference=inference)
    params = {"z0": NodeParams(weights={}, biases={})}
    for l, weight in enumerate(task.weights, 1):
        params[f"z{l}"] = NodeParams(weights={_key(l): jnp.asarray(weight.T)}, biases={})
    return structure, GraphParams(nodes=params)
