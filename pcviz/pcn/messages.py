"""Local messages: what every hidden layer receives from the errors of the layer above."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from pcviz.brief import short
from pcviz.pcn.coordinates import is_kinked
from pcviz.pcn.energy import layer_energies, layer_rms, output_error
from pcviz.pcn.gradients import inputs_of
from pcviz.pcn.inference import Settled
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


@short
class Sizes(NamedTuple):
    """How large things are in a state, float64: energies E_1 … E_L (L,); for every hidden layer (H,) the rms of the
    energy's gradient (per example), of the activities, of their change since an earlier state, and of the errors;
    `gradient` and `activity` are over all layers."""

    energies: jax.Array
    gradient_rms: jax.Array
    activity_rms: jax.Array
    update_rms: jax.Array
    error_rms: jax.Array
    gradient: jax.Array
    activity: jax.Array


@jax.jit
def sizes_of(network: Network, x: jax.Array, y: jax.Array, state: Settled, before: Activities) -> Sizes:
    """Measure a state; `before` are the activities of the earlier one.

    At z = 0 of an activation with a kink the gradient is the shortest one-sided derivative: zero where neither side
    descends.
    """
    z, errors = state.activities, state.errors[:-1]
    output, top = output_signal(network, z, y)
    sent = (*(state.signals or state.errors)[:-1], top)

    def gradient(at: Activities) -> Activities:
        return tuple(own - r for own, r in zip(sent, received(network, x, at, sent), strict=False))

    if is_kinked(network):
        gaps = [16 * jnp.finfo(a.dtype).eps * (1 + jnp.abs(e)) for a, e in zip(z, errors, strict=True)]
        beside = [jnp.abs(a) <= gap for a, gap in zip(z, gaps, strict=True)]
        sides = [
            gradient(tuple(jnp.where(b, s * gap, a) for a, gap, b in zip(z, gaps, beside, strict=True)))
            for s in (-1, 1)
        ]
        found = tuple(
            jnp.where(~b, up, jnp.where((up < 0) & (-up >= down), up, jnp.maximum(down, 0)))
            for down, up, b in zip(*sides, beside, strict=True)
        )
    else:
        found = gradient(z)
    by_layer = [
        layer_rms(stacks) for stacks in (found, z, tuple(a - b for a, b in zip(z, before, strict=True)), errors)
    ]
    total = [jnp.sqrt(jnp.mean(jnp.square(values))) for values in by_layer[:2]]
    return Sizes(layer_energies(network, errors, output, y), *by_layer, *total)
