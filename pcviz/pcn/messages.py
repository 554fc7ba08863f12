"""Local messages: what every hidden layer receives from the errors of the layer above."""

import jax
import jax.numpy as jnp

from pcviz.pcn.energy import output_error
from pcviz.pcn.gradients import inputs_of
from pcviz.pcn.network import Network
from pcviz.pcn.stacks import Activities


def received(network: Network, x: jax.Array, z: Activities, signals: Activities) -> Activities:
    """J_{l+1}^T d_{l+1} for every hidden layer, from the signals d of all stages (output last, (1, B, K))."""
    messages: list[jax.Array] = []
    above = None
    for stage, below, signal in reversed(list(zip(network.stages, inputs_of(x, z), signals, strict=True))):
        _, vjp = jax.vjp(stage, below)
        (message,) = vjp(signal)
        if above is not None:
            messages.append(above if message.shape[0] == 1 else jnp.concatenate([message[1:], above]))
        above = message[:1]
    return tuple(reversed(messages))


def output_signal(network: Network, z: Activities, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The output prediction (B, K) at hidden activities z, and its signal d_L = lambda e_L, (1, B, K)."""
    output = network.output(z)
    return output, network.output_precision[...] * output_error(network.loss, output, y)[None]
