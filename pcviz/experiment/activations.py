"""Activation functions: what is known of each without computing; `pcviz/pcn/activations.py` computes them."""

from typing import NamedTuple


class ActivationFacts(NamedTuple):
    """`odd`: phi(-x) = -phi(x); `homogeneous`: phi(c x) = c phi(x) for c > 0; `piecewise_linear`: phi'' = 0 wherever it
    exists; `kinked`: its derivative jumps at 0."""

    odd: bool = False
    homogeneous: bool = False
    piecewise_linear: bool = False
    kinked: bool = False


ACTIVATIONS: dict[str, ActivationFacts] = {
    "linear": ActivationFacts(odd=True, homogeneous=True, piecewise_linear=True),
    "tanh": ActivationFacts(odd=True),
    "hard_tanh": ActivationFacts(odd=True, piecewise_linear=True),
    "relu": ActivationFacts(homogeneous=True, piecewise_linear=True, kinked=True),
    "leaky_relu": ActivationFacts(homogeneous=True, piecewise_linear=True, kinked=True),
    "gelu": ActivationFacts(),
    "selu": ActivationFacts(kinked=True),
    "silu": ActivationFacts(),
}
