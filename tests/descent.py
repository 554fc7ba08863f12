"""The relaxation of tests that are about plain gradient descent, where the default is another one."""

from typing import Any

DESCENT: dict[str, Any] = {
    "inference.solver": "gradient_descent",
    "inference.steps": "depth",
    "inference.step_size": 0.3,
}
"""Field path -> value: the fewest steps in which the error can reach every layer."""
