"""The equilibrium of a linear network in closed form, as a solver: one step, O(L N²), float64 (theory.md 3.7)."""

from typing import Any

import jax
import jax.numpy as jnp

from pcviz.numerics.compiling import Program
from pcviz.pcn import linear
from pcviz.pcn.feedforward import forward
from pcviz.pcn.network import Network
from pcviz.pcn.solvers.base import Integer, Settings, Solver, every_step, settled_at
from pcviz.pcn.stacks import Activities


def _advance(
    network: Network, x: jax.Array, y: jax.Array, state: Any, first: Integer, last: Integer, settings: Settings
) -> tuple[Activities, Activities]:
    """Hidden activities and errors at equilibrium, float64."""
    if last <= first:
        return state
    found = linear.equilibrium(network, x, y)
    return found.activities, found.errors[:-1]


def _begin(network: Network, x: jax.Array) -> tuple[Activities, Activities]:
    z, _ = forward(network, x)
    return z, jax.tree.map(jnp.zeros_like, z)


SOLVER = Solver(
    Program(lambda network, x, y, by: _begin(network, x)),
    _advance,
    lambda network, x, y, state, step: settled_at(network, y, *state),
    every_step,
    last=1,
)
