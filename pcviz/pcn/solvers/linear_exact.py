"""The equilibrium of a linear network in closed form, as a solver: one step, O(L N²), float64 (theory.md 3.7)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from pcviz.pcn import linear
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Activities, Network
from pcviz.pcn.solvers.base import Integer, Settings, Solver, every_step, settled_at


def linear_exact(network: Network, x: jax.Array, y: jax.Array) -> tuple[Activities, Activities]:
    """Hidden activities and errors at equilibrium, (count, B, N) for each stage, float64.

    Raises ValueError if the network has no closed form.
    """
    linear.require_closed_form(network)
    return _solved(network, jnp.asarray(x), jnp.asarray(y))


@jax.jit
def _solved(network: Network, x: jax.Array, y: jax.Array) -> tuple[Activities, Activities]:
    z, e, *_ = linear._equilibrium(linear.stage_maps(network), x, y, network.output_precision[...])
    if z.shape[0] == 1:
        return (z,), (e,)
    return (z[:1], z[1:]), (e[:1], e[1:])


def _advance(
    network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, settings: Settings
) -> tuple[Activities, Activities]:
    return linear_exact(network, x, y) if last > first else state


def _begin(network: Network, x: jax.Array) -> tuple[Activities, Activities]:
    z, _ = forward(network, x)
    return z, jax.tree.map(jnp.zeros_like, z)


SOLVER = Solver(
    jax.jit(lambda network, x, y, by: _begin(network, x)),
    _advance,
    lambda network, x, y, state, step: settled_at(network, y, *state),
    every_step,
    last=1,
)
