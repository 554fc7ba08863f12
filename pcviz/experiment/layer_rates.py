"""Factors for the layers of a network as text: "10,1" is ten at layer 1, one at the output, and falls between them."""

from collections.abc import Sequence

from pcviz.experiment.spelling import is_plain_number

MOST = 1e6


def allowed(layers: int | str = "L") -> str:
    """What is allowed in a network of so many layers."""
    return f"1 to {layers} numbers above 0 to {MOST:g}, separated by commas"


def factors_of(text: str) -> list[float]:
    """ "10, 1" -> [10.0, 1.0]. Raises ValueError if a part is no number, or not within its limits."""
    factors = []
    for part in text.split(","):
        if not is_plain_number(part.strip()):
            raise ValueError("factors are numbers, separated by commas")
        factors.append(float(part))
        if not 0 < factors[-1] <= MOST:
            bound = "is not above 0" if factors[-1] <= 0 else f"is above {MOST:g}"
            raise ValueError(f"learning.layer_rates: {factors[-1]:g} {bound} (allowed: {allowed()})")
    return factors


def text_of(factors: Sequence[float]) -> str:
    """[10.0, 1.0] -> "10,1": the one spelling of these factors, with six digits each."""
    return ",".join(f"{factor:g}" for factor in factors)


def spread(factors: Sequence[float], layers: int) -> list[float]:
    """A factor for each of two `layers` or more: the given ones evenly spaced from the first to the last layer, and
    interpolated geometrically between them. Those that fall on a layer are exact."""
    if len(factors) == 1:
        return list(factors) * layers
    found = []
    for layer in range(layers):
        below, part = divmod(layer * (len(factors) - 1), layers - 1)
        share = part / (layers - 1)
        found.append(factors[below] ** (1 - share) * factors[below + 1] ** share if part else factors[below])
    return found
