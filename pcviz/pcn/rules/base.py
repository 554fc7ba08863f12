"""The interface of learning rules, and what rules share: relaxing, settling, moving the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax

from pcviz.brief import short
from pcviz.pcn import inference, optimisers
from pcviz.pcn.network import Network, replaced, stacked_weights
from pcviz.pcn.optimisers import Descent
from pcviz.pcn.plan import Plan, Settled, State
from pcviz.pcn.update import Rates
from pcviz.pcn.weight_norm import normalised

Span = tuple[jax.Array, jax.Array]


class Rule(NamedTuple):
    """A learning rule: what happens in the inference steps span[0] … span[1] - 1 of a weight step (`advance`), how they
    end (`settle`), and whether weights move then. `plan`: from the relaxation that the experiment describes to the
    rule's own."""

    advance: Callable[[Method, Step, jax.Array, jax.Array, Numbers, Span], Step]
    settle: Callable[[Method, Step, jax.Array, jax.Array, Numbers], Settled]
    learns_at_the_end: bool = True
    plan: Callable[[Plan], Plan] = lambda plan: plan


@dataclass(frozen=True)
class Method:
    """The compiled part: learning rule, weight optimiser, plan of the relaxation, whether the least energy that it
    could reach is computed too (linear networks), and into how many shards batches are cut."""

    rule: Rule
    optimiser: str
    plan: Plan
    knows_equilibrium: bool = False
    shards: int = 1


@short
class Numbers(NamedTuple):
    """The traced part: T, the solver's rates, the optimiser's numbers, the rows of the relaxation to record (R,), and
    the spectral norm that weights are rescaled to, None for no rescaling."""

    steps: jax.Array
    rates: Rates
    descent: Descent
    rows: jax.Array
    weight_norm: jax.Array | None = None


@short
class Step(NamedTuple):
    """A weight step under way: network, optimiser slots, relaxation."""

    network: Network
    slots: Any
    relaxation: State


def descended(
    method: Method, network: Network, slots: Any, gradients: Any, numbers: Numbers, moving: Any = None
) -> tuple[Network, Any]:
    """The network after one step of the optimiser and, if wanted, with its weights rescaled; and its slots. Layers that
    are not `moving` keep theirs."""
    weights, slots = optimisers.descend(
        method.optimiser, numbers.descent, stacked_weights(network), gradients, slots, moving
    )
    network = replaced(network, weights)
    return network if numbers.weight_norm is None else normalised(network, numbers.weight_norm, moving), slots


def relaxed(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers, span: Span) -> Step:
    """The inference steps of the plan, with fixed weights."""
    relaxation = inference.advance(step.network, x, y, step.relaxation, span, method.plan, numbers.rates, numbers.rows)
    return step._replace(relaxation=relaxation)


def settled(method: Method, step: Step, x: jax.Array, y: jax.Array, numbers: Numbers) -> Settled:
    """The end of the relaxation."""
    return inference.settle(step.network, x, y, step.relaxation, numbers.steps, method.plan)
