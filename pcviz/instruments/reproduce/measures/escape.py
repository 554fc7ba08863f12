"""Escape from the saddle at the origin: chains of scalars in closed form, all seeds at once."""

from typing import Any

import numpy as np

from pcviz.instruments.chain.options import POWER
from pcviz.instruments.reproduce.measures.base import Measure, one_by_one
from pcviz.instruments.reproduce.studies.escape import ESCAPED, LEARNING_RATE, Chains, Escape
from pcviz.numerics.krylov import Work
from pcviz.probes import chain

STEPS, DT = 20, 0.1
"""Of PC's inference by Euler steps."""
DIVERGED = 1e3
"""Loss of a chain that will not come back."""
AT_ONCE = 200
"""Updates between two pauses."""


def measure(cell: Chains, protocol: Escape) -> Work[dict[str, Any]]:
    """Updates until each chain has escaped, None: it has not, or diverged; least curvature at the origin of what it
    descends."""
    draws = [np.random.default_rng(seed).standard_normal(cell.hidden + 1) for seed in range(protocol.seeds)]
    w, updates = cell.start * np.array(draws), np.full(protocol.seeds, -1)
    for update in range(protocol.most(cell.rule)):
        losses = chain.loss(w, POWER)
        updates[(updates < 0) & (losses < ESCAPED)] = update
        racing = (updates < 0) & (losses < DIVERGED)
        if not racing.any():
            break
        w[racing] -= LEARNING_RATE * gradient(cell.rule, w[racing])
        if update % AT_ONCE == 0:
            yield
    origin = np.zeros(cell.hidden + 1)
    hessian = chain.loss_hessian(origin, POWER) if cell.rule == "bp" else chain.energy_hessian(origin, POWER)
    return {
        "updates": [int(n) if n >= 0 else None for n in updates],
        "curvature": float(np.linalg.eigvalsh(hessian)[0]),
        "power": POWER,
    }


def gradient(rule: str, w: np.ndarray) -> np.ndarray:
    """The weight gradients of chains (S, L) by one rule."""
    if rule == "bp":
        return chain.loss_gradient(w, POWER)
    return chain.pc_gradient(w, chain.inferred(w, STEPS, DT) if rule == "pc" else chain.equilibrium(w), POWER)


MEASURES = {"escape": Measure(one_by_one(measure))}
