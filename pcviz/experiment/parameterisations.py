"""Parameterisations as rows of exponents: how predictions, initial weights and learning rates scale with width N and
depth L (theory.md 2.1 and 2.2).

a_1 = D^-read_in, a_l = (N L)^-hidden and a_L = N^-read_out / gamma, where D is the number of inputs; the factor L
applies with skips only. `initialisations`: the allowed distributions of the weights, which set their variance, the
default first. If `lr_scaling` asks for it, learning rates are multiplied by (N L)^adam for Adam and by gamma^sgd_gamma
N^sgd for gradient descent, with exponents for read-in, hidden layers and read-out. `auto` stands for `learning_rate`.
"""

from typing import NamedTuple

Exponents = tuple[float, float, float]
"""Of read-in, hidden layers and read-out."""


class Parameterisation(NamedTuple):
    """One row of exponents, see the module."""

    label: str
    read_in: float
    hidden: float
    read_out: float
    initialisations: tuple[str, ...]
    learning_rate: float
    adam: Exponents = (0, 0, 0)
    sgd: Exponents = (0, 0, 0)
    sgd_gamma: Exponents = (0, 0, 0)

    def premultipliers(self, inputs: int, width: int, depth: int, *, skips: bool, gamma: float) -> list[float]:
        """a_1 … a_L."""
        hidden = (width * (depth if skips else 1)) ** -self.hidden
        return [inputs**-self.read_in, *[hidden] * (depth - 2), width**-self.read_out / gamma]

    def rate_scales(self, optimiser: str, width: int, depth: int, *, skips: bool, gamma: float) -> list[float]:
        """The factors by which `lr_scaling` multiplies the weight learning rates of layers 1 … L."""
        if optimiser == "sgd":
            parts = [float(gamma**g * width**n) for g, n in zip(self.sgd_gamma, self.sgd, strict=True)]
        else:
            parts = [float((width * (depth if skips else 1)) ** exponent) for exponent in self.adam]
        return [parts[0], *[parts[1]] * (depth - 2), parts[2]]


PARAMETERISATIONS: dict[str, Parameterisation] = {
    "sp": Parameterisation("SP", 0, 0, 0, ("uniform", "lecun_normal", "orthogonal"), 1e-3),
    "ntp": Parameterisation("NTP", 0.5, 0.5, 0.5, ("normal",), 0.05),
    "mupc": Parameterisation("μPC", 0.5, 0.5, 1, ("normal",), 0.05, (-0.5,) * 3, (1,) * 3, (2,) * 3),
}
