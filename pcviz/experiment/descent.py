"""Plain gradient descent as the relaxation that belongs to a rule or schedule."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def descent(step_size: float, steps: str) -> Mapping[str, Any]:
    """Field path -> value of gradient descent on the activities."""
    values = {"solver": "gradient_descent", "steps": steps, "step_size": step_size}
    return MappingProxyType({f"inference.{name}": value for name, value in values.items()})
