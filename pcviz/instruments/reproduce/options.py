"""Published findings that can be measured anew: by what protocol, and what was reported. The words of `reproduce`."""

from __future__ import annotations

from typing import NamedTuple

from pcviz.instruments.relaxation.options import ARRIVED


class Reported(NamedTuple):
    """An exponent in the depth L with its 95 % interval."""

    exponent: float
    low: float
    high: float


class Protocol(NamedTuple):
    """Networks and limits of one reproduction. All networks: muPC with skips at initialisation, digits, float64.

    `batch`: examples; `share`: of the initial excess energy, to be reached and held; `hold`: for how long it must be
    held, as a share of the steps taken until then, but at least `least_hold` steps. Gradient descent needs most steps
    and cannot go up (its step is 1 / lambda_max): it is watched for `descent_hold` and runs in `descent_dtype`.
    """

    depths: tuple[int, ...] = (8, 16, 32, 64, 128)
    widths: tuple[int, ...] = (32, 64)
    activations: tuple[str, ...] = ("tanh", "relu", "gelu")
    seeds: tuple[int, ...] = (0, 1, 2)
    batch: int = 8
    share: float = ARRIVED
    hold: float = 1.0
    descent_hold: float = 0.1
    least_hold: int = 8
    descent_dtype: str = "float32"


class Reproduction(NamedTuple):
    """A finding: what it says, the whole protocol and one that a test can afford."""

    help: str
    full: Protocol
    quick: Protocol


REPRODUCTIONS: dict[str, Reproduction] = {
    "inference-budget": Reproduction(
        "how many iterations and gradient evaluations inference needs as networks get deeper",
        Protocol(),
        Protocol(depths=(8, 16, 32), widths=(32,), activations=("tanh",), seeds=(0,)),
    ),
}

REPORTED: dict[str, Reported] = {
    "condition_number": Reported(2.02, 1.95, 2.10),
    "gradient_descent": Reported(1.92, 1.78, 2.05),
    "nesterov": Reported(1.21, 1.16, 1.27),
}
"""Of theory.md 4.10: relu, width 32, MNIST, steps until test accuracy is 90 to 98 % of backprop's. The quantity differs
from ours (energy at initialisation), the scaling should not."""

OURS = ("error_based", "conjugate_gradient", "gauss_newton")
"""Solvers in error coordinates, of which no exponents are reported."""

PROMISED = 0.6
"""Largest exponent of the best of them."""
